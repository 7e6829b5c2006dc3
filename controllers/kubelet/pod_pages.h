// What the server in a simulated container answers over HTTP: the page of the well-known image, with the files of its
// document root; for other images a page that names the pod.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/clock.h"

namespace kubemu::controllers::kubelet {

// The server that is asked.
struct PageServer {
    std::string image, container;
    std::string pod, pod_namespace, pod_ip, node;
    std::vector<std::string> args;    // of the container, command included
    std::optional<std::string> fixed;  // what it answers whatever is asked
    // A file of the container; null: it has none.
    std::function<std::optional<std::string>(const std::string& path)> file;
    Time now{};
};

struct PageRequest {
    std::string method = "GET", target = "/", host;
    std::string head;  // request line and headers as they came
    std::string body;
};

struct Page {
    int code = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string server{};  // the header; empty: none
    std::string body{};
    Duration takes{};  // until it is there
};
Page page_of(const PageServer& server, const PageRequest& request);

}  // namespace kubemu::controllers::kubelet
