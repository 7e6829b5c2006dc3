// The proxy subresources of pods and Services: an HTTP request to the server inside.
#pragma once

#include <string>
#include <string_view>

#include "api/exchange.h"

namespace kubemu::api {

// "https:web:8080" as scheme, name and port; false for what is none of NAME, NAME:PORT, SCHEME:NAME:PORT
// (k8s.io/apimachinery/pkg/util/net.SplitSchemeNamePort).
bool split_scheme_name_port(std::string_view id, std::string_view& scheme, std::string_view& name, std::string_view& port);

// What a path says behind ".../proxy", still encoded; nothing when that ends it.
std::string_view rest_of_proxy(std::string_view path);

// GET, POST... of pods/NAME/proxy/PATH and services/NAME/proxy/PATH.
ApiResult<bool> handle_proxy(const ExchangePtr& exchange);

}  // namespace kubemu::api
