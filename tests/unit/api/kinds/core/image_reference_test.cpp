// Names of images: which are some, and what they say.
#include "api/kinds/core/image_reference.h"

#include <doctest/doctest.h>

using kubemu::api::ImageReference;

TEST_CASE("tags and digests of images") {
    const std::string digest = "sha256:" + std::string(64, 'a');
    struct Case {
        std::string image, tag, digest;
    };
    const Case cases[] = {{"nginx", "", ""},
                          {"nginx:1.2", "1.2", ""},
                          {"repo:5000/nginx", "", ""},
                          {"repo.example/a/b__c:latest", "latest", ""},
                          {"[::1]:5000/a", "", ""},
                          {"nginx:latest@" + digest, "latest", digest},
                          {"nginx@" + digest, "", digest}};
    for (const Case& c : cases) {
        CAPTURE(c.image);
        const auto reference = ImageReference::parse(c.image);
        REQUIRE(reference);
        CHECK(reference->tag == c.tag);
        CHECK(reference->digest == c.digest);
    }
}

TEST_CASE("what is no name of an image") {
    for (const std::string& bad : {std::string(), std::string("Nginx"), std::string("nginx:"), std::string("a//b"),
                                   std::string("-a"), std::string("a___b"), std::string("a:b:c"), std::string("x y"),
                                   std::string("a@sha256:1"), std::string(300, 'x'), std::string(64, 'a')}) {
        CAPTURE(bad);
        CHECK(!ImageReference::parse(bad));
    }
}
