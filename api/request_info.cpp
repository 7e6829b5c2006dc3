// Paths and queries taken apart.
#include "api/request_info.h"

#include <vector>

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
    std::vector<std::string> parts;
    for (const std::string_view part : split(path, '/')) {
        if (!part.empty()) parts.push_back(percent_decode(part, false));
    }
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
    if (parts[at] == "namespaces" && at + 2 < parts.size() && parts[at + 2] != "status" && parts[at + 2] != "finalize") {
        info.namespace_name = parts[at + 1];
        at += 2;
    }
    info.resource = parts[at++];
    if (at < parts.size()) info.name = parts[at++];
    if (at < parts.size()) info.subresource = parts[at++];
    for (; at < parts.size(); ++at) info.subresource += "/" + parts[at];
    return info;
}

}  // namespace kubemu::api
