// Headers: those of a request as they came over the wire, for those who pass it on.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kubemu::api {

using Headers = std::vector<std::pair<std::string, std::string>>;
using HeadersPtr = std::shared_ptr<const Headers>;

// The value of the first header of this name, whatever its case; empty when there is none.
std::string_view header_of(const Headers& headers, std::string_view name);
// Whether it asks to leave HTTP for another protocol: for which one, as its header Upgrade says; empty: it does not.
std::string_view asked_protocol(const Headers& headers);
// What goes on to the next server: without credentials and what is between two hops alone (net/http/httputil.ReverseProxy,
// kubernetes' authentication and impersonation filters); with Connection and Upgrade when it asks for another protocol.
Headers passed_on(const Headers& headers);
// Whether a header of an answer is between two hops alone.
bool is_hop_header(std::string_view name);

}  // namespace kubemu::api
