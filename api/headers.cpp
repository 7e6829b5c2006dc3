// Which headers go on.
#include "api/headers.h"

#include <algorithm>

#include "api/values/text.h"

namespace kubemu::api {
namespace {

// Of which browsers and client-go make a bearer token: the server that read it takes it away.
constexpr std::string_view bearer_protocol = "base64url.bearer.authorization.k8s.io.";

bool names(std::string_view list, std::string_view word) {
    const auto parts = split(list, ',');
    return std::any_of(parts.begin(), parts.end(), [word](std::string_view part) { return lower(trim(part)) == word; });
}

bool is_credential(std::string_view name) {
    return name == "authorization" || name.substr(0, 12) == "impersonate-" || name.substr(0, 9) == "x-remote-";
}

std::string without_bearer(std::string_view protocols) {
    std::vector<std::string> kept;
    for (const std::string_view part : split(protocols, ',')) {
        const std::string_view protocol = trim(part);
        if (!protocol.empty() && protocol.substr(0, bearer_protocol.size()) != bearer_protocol) kept.emplace_back(protocol);
    }
    return join(kept, ", ");
}

}  // namespace

std::string_view header_of(const Headers& headers, std::string_view wanted) {
    const std::string name = lower(wanted);
    for (const auto& [known, value] : headers) {
        if (lower(known) == name) return value;
    }
    return {};
}

std::string_view asked_protocol(const Headers& headers) {
    return names(header_of(headers, "connection"), "upgrade") ? header_of(headers, "upgrade") : std::string_view();
}

bool is_hop_header(std::string_view given) {
    const std::string name = lower(given);
    for (const char* hop : {"connection", "proxy-connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te",
                            "trailer", "transfer-encoding", "upgrade"}) {
        if (name == hop) return true;
    }
    return false;
}

Headers passed_on(const Headers& headers) {
    const std::string_view connection = header_of(headers, "connection");
    Headers passed;
    for (const auto& [given, value] : headers) {
        const std::string name = lower(given);
        if (is_hop_header(name) || is_credential(name) || names(connection, name)) continue;
        if (name == "host" || name == "content-length" || name == "expect") continue;
        if (name != "sec-websocket-protocol") {
            passed.emplace_back(given, value);
        } else if (std::string protocols = without_bearer(value); !protocols.empty()) {
            passed.emplace_back(given, std::move(protocols));
        }
    }
    if (const std::string_view protocol = asked_protocol(headers); !protocol.empty()) {
        passed.emplace_back("Connection", "Upgrade");
        passed.emplace_back("Upgrade", std::string(protocol));
    }
    return passed;
}

}  // namespace kubemu::api
