// A connection to a server in a simulated container: HTTP/1.1, one request after the other.
#pragma once

#include <functional>
#include <memory>

#include "api/subresources/pod_streams.h"
#include "controllers/kubelet/pod_pages.h"

namespace kubemu::controllers::kubelet {

using AnswerRequest = std::function<Page(const PageRequest&)>;

std::unique_ptr<api::PortConnection> make_http_connection(AnswerRequest answer);

}  // namespace kubemu::controllers::kubelet
