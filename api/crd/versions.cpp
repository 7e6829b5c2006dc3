// The order of version names.
#include "api/crd/versions.h"

#include <cctype>
#include <cstdint>
#include <optional>

namespace kubemu::api {
namespace {

struct Version {
    std::uint64_t major = 0;
    int stage = 0;  // 0 alpha, 1 beta, 2 stable
    std::uint64_t minor = 0;
};

std::optional<std::uint64_t> number(std::string_view& text) {
    std::uint64_t value = 0;
    std::size_t length = 0;
    while (length < text.size() && length < 18 && std::isdigit(static_cast<unsigned char>(text[length])) != 0) {
        value = value * 10 + static_cast<std::uint64_t>(text[length++] - '0');
    }
    if (length == 0 || text[0] == '0') return std::nullopt;
    text.remove_prefix(length);
    return value;
}

std::optional<Version> parse(std::string_view text) {
    if (text.empty() || text[0] != 'v') return std::nullopt;
    text.remove_prefix(1);
    Version version;
    const auto major = number(text);
    if (!major) return std::nullopt;
    version.major = *major;
    if (text.empty()) {
        version.stage = 2;
        return version;
    }
    for (const auto& [word, stage] : {std::pair<std::string_view, int>{"alpha", 0}, {"beta", 1}}) {
        if (text.substr(0, word.size()) != word) continue;
        text.remove_prefix(word.size());
        const auto minor = number(text);
        if (!minor || !text.empty()) return std::nullopt;
        version.stage = stage;
        version.minor = *minor;
        return version;
    }
    return std::nullopt;
}

template <class T>
int order(const T& a, const T& b) {
    return a < b ? -1 : a > b ? 1 : 0;
}

}  // namespace

int compare_kube_versions(std::string_view a, std::string_view b) {
    const auto left = parse(a), right = parse(b);
    if (!left && !right) return order(b, a);
    if (!left || !right) return left ? 1 : -1;
    if (const int by = order(left->stage, right->stage)) return by;
    if (const int by = order(left->major, right->major)) return by;
    return order(left->minor, right->minor);
}

}  // namespace kubemu::api
