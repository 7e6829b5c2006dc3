// Names of container images, as github.com/distribution/reference reads them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kubemu::api {

struct ImageReference {
    std::string tag, digest;  // empty when not given

    // Nothing when it is no name of an image: upper-case letters in the path, more than 255 characters...
    static std::optional<ImageReference> parse(std::string_view text);
};

}  // namespace kubemu::api
