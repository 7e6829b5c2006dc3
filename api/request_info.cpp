// Paths and queries taken apart.
#include "api/request_info.h"

#include <cctype>
#include <vector>

#include "api/values/go_duration.h"
#include "api/values/text.h"

namespace kubemu::api {

std::string_view RequestInfo::parameter(std::string_view name) const {
    const auto found = query.find(name);
    return found == query.end() ? std::string_view() : std::string_view(found->second);
}

bool RequestInfo::flag(std::string_view name) const {
    const auto found = query.find(name);
    return found != query.end() && found->second != "0" && lower(found->second) != "false";
}

RequestInfo parse_request_info(std::string_view path, std::string_view query) {
    RequestInfo info;
    for (const std::string_view pair : split(query, '&')) {
        if (pair.empty()) continue;
        const std::size_t equals = pair.find('=');
        info.query.emplace(percent_decode(pair.substr(0, equals), true),
                           equals == std::string_view::npos ? "" : percent_decode(pair.substr(equals + 1), true));
    }
    if (path.starts_with("//")) return info;
    // Decoded before it is taken apart, as net/http hands it on. Empty parts within are parts.
    const std::string decoded = percent_decode(path, false);
    std::string_view rest = decoded;
    while (rest.starts_with('/')) rest.remove_prefix(1);
    while (rest.ends_with('/')) rest.remove_suffix(1);
    std::vector<std::string> parts;
    for (const std::string_view part : split(rest, '/')) parts.emplace_back(part);
    std::size_t at = 0;
    if (parts.size() >= 3 && parts[0] == "api") {
        info.version = parts[1];
        at = 2;
    } else if (parts.size() >= 4 && parts[0] == "apis") {
        info.group = parts[1];
        info.version = parts[2];
        at = 3;
    } else {
        return info;
    }
    if (parts[at] == "watch" && at + 1 < parts.size()) {
        info.watch_path = true;
        ++at;
    }
    info.is_resource = true;
    // A namespace without a name, or what is in one: namespaces//pods.
    if (parts[at] == "namespaces" && at + 2 < parts.size() && parts[at + 2] != "status" && parts[at + 2] != "finalize") {
        info.namespace_name = parts[at + 1];
        info.lacks_namespace = info.namespace_name.empty();
        at += 2;
    }
    info.resource = parts[at++];
    if (at < parts.size()) info.name = parts[at++];
    if (at < parts.size()) info.subresource = parts[at++];
    for (; at < parts.size(); ++at) info.subresource += "/" + parts[at];
    return info;
}

bool is_percent_encoded(std::string_view path) {
    for (std::size_t at = path.find('%'); at != path.npos; at = path.find('%', at + 3)) {
        if (at + 2 >= path.size()) return false;
        for (const char digit : path.substr(at + 1, 2)) {
            if (!std::isxdigit(static_cast<unsigned char>(digit))) return false;
        }
    }
    return true;
}

// Requests that end by themselves may say how long they wait (WithRequestDeadline of k8s.io/apiserver). The longest wait
// there is will do here, so that the value matters only when it is none.
std::string wrong_timeout(const RequestInfo& info) {
    const std::string_view text = info.parameter("timeout");
    if (text.empty()) return {};
    const std::string_view subresource = std::string_view(info.subresource).substr(0, info.subresource.find('/'));
    for (const std::string_view endless : {"attach", "exec", "log", "portforward", "proxy"}) {
        if (info.is_resource && subresource == endless) return {};
    }
    if (info.is_resource && info.subresource.empty() && (info.watch_path || (info.name.empty() && info.flag("watch")))) return {};
    const auto read = parse_go_duration(text);
    return read ? std::string() : "invalid timeout specified in the request URL - " + read.error().message;
}

}  // namespace kubemu::api
