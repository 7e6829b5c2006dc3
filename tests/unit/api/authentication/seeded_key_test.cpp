// Keys that follow from a seed, and what is signed with them.
#include "api/authentication/seeded_key.h"

#include <doctest/doctest.h>

#include "api/authentication/certificate_authority.h"
#include "api/authentication/signing_key.h"
#include "tests/harness/test_cluster.h"

namespace kubemu::api {
namespace {

TEST_CASE("the same seed gives the same keys, another one others") {
    CHECK(seeded_ed25519_key(7) == seeded_ed25519_key(7));
    CHECK(seeded_ed25519_key(7) != seeded_ed25519_key(8));
    CHECK(seeded_ed25519_key(7).find("PRIVATE KEY") != std::string::npos);
}

TEST_CASE("tokens signed with a seeded key are good, and the same each time") {
    const auto key = SigningKey::from_pem(seeded_rsa_key(7)), again = SigningKey::from_pem(seeded_rsa_key(7));
    REQUIRE(key.has_value());
    REQUIRE(again.has_value());
    const std::string token = key->sign(R"({"sub":"x"})");
    CHECK(key->signed_by_me(token));
    CHECK(again->sign(R"({"sub":"x"})") == token);
    CHECK_FALSE(SigningKey::from_pem(seeded_rsa_key(8))->signed_by_me(token));
}

TEST_CASE("a seeded authority is the same in every cluster and issues certificates") {
    tests::TestCluster one, two;
    const Time now = one.clock().now();
    const auto first = CertificateAuthority::of_store(one.store(), now, 7);
    const auto second = CertificateAuthority::of_store(two.store(), now + std::chrono::hours(5), 7);
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    CHECK(first->certificate() == second->certificate());
    const auto issued = first->issue({"admin", {"system:masters"}, "", "client auth", now});
    REQUIRE(issued.has_value());
    CHECK(certificate_expiry(issued->certificate).has_value());
    // It is kept: later starts find it without the seed.
    CHECK(CertificateAuthority::of_store(one.store(), now)->certificate() == first->certificate());
}

}  // namespace
}  // namespace kubemu::api
