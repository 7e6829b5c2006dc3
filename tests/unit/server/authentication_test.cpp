// From credentials to a user.
#include "server/authentication.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

struct Fixture : tests::TestCluster {
    api::ServiceAccountTokens tokens{registry()};
    api::TokenAuthenticator authenticator{*api::TokenFile::parse("secret,ann,1,dev\n", "f"), tokens};

    // The user's name and groups, or the code.
    std::string who(const server::Credentials& credentials, std::optional<bool> anonymous = std::nullopt) {
        api::User user;
        const auto done = server::authenticate(authenticator, anonymous, credentials, user);
        if (!done) return std::to_string(done.error().code());
        std::string text = user.name;
        for (const std::string& group : user.groups) text += " " + group;
        return text;
    }
};

server::Credentials with(const char* authorization, bool trusted = true) { return {authorization, {}, nullptr, false, trusted}; }

}  // namespace

TEST_CASE("who shows nothing is the administrator where the connection is trusted, unless it was said otherwise") {
    Fixture fixture;
    CHECK(fixture.who(with("")) == "admin system:masters system:authenticated");
    CHECK(fixture.who(with("", false)) == "system:anonymous system:unauthenticated");
    CHECK(fixture.who(with(""), true) == "system:anonymous system:unauthenticated");
    CHECK(fixture.who(with(""), false) == "401");
    CHECK(fixture.who(with("Basic x"), true) == "system:anonymous system:unauthenticated");
}

TEST_CASE("a token decides, a bad one too") {
    Fixture fixture;
    CHECK(fixture.who(with("Bearer secret")) == "ann dev system:authenticated");
    CHECK(fixture.who(with("bearer  secret"), true) == "system:anonymous system:unauthenticated");
    CHECK(fixture.who(with("Bearer wrong")) == "401");
}

TEST_CASE("a certificate comes first") {
    Fixture fixture;
    const api::User jane{"jane", {}, {"devs"}, {}};
    CHECK(fixture.who({"Bearer wrong", {}, &jane, false}) == "jane devs system:authenticated");
}
