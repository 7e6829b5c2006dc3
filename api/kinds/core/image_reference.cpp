// [domain[:port]/]path[/path...][:tag][@digest]. Of the parts before the first '/' only one with a '.' or ':', with an
// upper-case letter, or "localhost", is a domain.
#include "api/kinds/core/image_reference.h"

#include <algorithm>

namespace kubemu::api {
namespace {

constexpr std::size_t name_length_max = 255, tag_length_max = 128, digest_length_min = 32;
constexpr std::string_view default_prefix = "docker.io/library/";

bool lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool upper(char c) { return c >= 'A' && c <= 'Z'; }
bool letter_or_digit(char c) { return lower_or_digit(c) || upper(c); }

// Runs of lower-case letters and digits, with one '.', one or two '_', or any number of '-' between them.
bool valid_path_part(std::string_view part) {
    if (part.empty() || !lower_or_digit(part.front()) || !lower_or_digit(part.back())) return false;
    for (std::size_t i = 0; i < part.size();) {
        if (lower_or_digit(part[i])) {
            ++i;
            continue;
        }
        const char separator = part[i];
        std::size_t end = i;
        while (end < part.size() && part[end] == separator) ++end;
        const std::size_t most = separator == '.' ? 1 : separator == '_' ? 2 : separator == '-' ? part.size() : 0;
        if (end - i > most || !lower_or_digit(part[end])) return false;
        i = end;
    }
    return true;
}

bool valid_path(std::string_view path) {
    for (;;) {
        const std::size_t slash = path.find('/');
        if (!valid_path_part(path.substr(0, slash))) return false;
        if (slash == std::string_view::npos) return true;
        path.remove_prefix(slash + 1);
    }
}

bool valid_domain(std::string_view domain) {
    const std::size_t bracket = domain.starts_with('[') ? domain.find(']') : std::string_view::npos;
    const std::size_t colon = domain.find(':', bracket == std::string_view::npos ? 0 : bracket);
    const std::string_view host = domain.substr(0, colon);
    if (colon != std::string_view::npos) {
        const std::string_view port = domain.substr(colon + 1);
        if (port.empty() || port.find_first_not_of("0123456789") != std::string_view::npos) return false;
    }
    if (bracket != std::string_view::npos) {
        return bracket + 1 == host.size() && bracket > 1 &&
               host.substr(1, bracket - 1).find_first_not_of("0123456789abcdefABCDEF:") == std::string_view::npos;
    }
    for (std::size_t start = 0; start <= host.size();) {
        const std::size_t dot = std::min(host.find('.', start), host.size());
        const std::string_view label = host.substr(start, dot - start);
        if (label.empty() || label.front() == '-' || label.back() == '-') return false;
        if (!std::all_of(label.begin(), label.end(), [](char c) { return letter_or_digit(c) || c == '-'; })) return false;
        start = dot + 1;
    }
    return true;
}

bool valid_tag(std::string_view tag) {
    if (tag.empty() || tag.size() > tag_length_max || tag.front() == '.' || tag.front() == '-') return false;
    return std::all_of(tag.begin(), tag.end(),
                       [](char c) { return letter_or_digit(c) || c == '_' || c == '.' || c == '-'; });
}

// algorithm:hexadecimal digits
bool valid_digest(std::string_view digest) {
    const std::size_t colon = digest.find(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    const std::string_view hex = digest.substr(colon + 1);
    return hex.size() >= digest_length_min && hex.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// What looks like the identifier of an image is not its name.
bool identifier(std::string_view text) {
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::optional<ImageReference> ImageReference::parse(std::string_view text) {
    if (identifier(text)) return std::nullopt;
    std::string_view domain, rest = text;
    if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
        const std::string_view first = text.substr(0, slash);
        const bool named = first.find_first_of(".:") != std::string_view::npos || first == "localhost" ||
                           std::any_of(first.begin(), first.end(), upper);
        if (named) {
            domain = first;
            rest = text.substr(slash + 1);
            if (!valid_domain(domain)) return std::nullopt;
        }
    }
    ImageReference reference;
    if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
        reference.digest = rest.substr(at + 1);
        if (!valid_digest(reference.digest)) return std::nullopt;
        rest = rest.substr(0, at);
    }
    if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
        reference.tag = rest.substr(colon + 1);
        if (!valid_tag(reference.tag)) return std::nullopt;
        rest = rest.substr(0, colon);
    }
    const std::size_t prefix = domain.empty() ? default_prefix.size() : domain.size() + 1;
    if (!valid_path(rest) || prefix + rest.size() > name_length_max) return std::nullopt;
    return reference;
}

}  // namespace kubemu::api
