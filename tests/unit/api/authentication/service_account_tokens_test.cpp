// Tokens of service accounts: what they say, and when they stop to hold.
#include "api/authentication/service_account_tokens.h"

#include <doctest/doctest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "api/authentication/identity_reviews.h"
#include "api/kinds/views.h"
#include "api/subresources/token_request.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;

namespace {

struct Cluster : tests::TestCluster {
    api::ServiceAccountTokens tokens{registry()};

    Cluster() { create("serviceaccounts", R"({"metadata":{"name":"bot"}})"); }

    api::ApiResult<api::Json> request(const char* spec) {
        api::Json body = {{"spec", api::Json::parse(spec)}};
        return api::request_token(registry(), tokens, "default", "bot", body);
    }
    std::string token(const char* spec) {
        const auto answer = request(spec);
        if (!answer) FAIL(answer.error()->message);
        return std::string(api::string_at(*answer, {"status", "token"}));
    }
    std::string error(const char* spec) {
        const auto answer = request(spec);
        return answer ? "" : answer.error()->message;
    }
    // The user's name, or what is wrong.
    std::string holder(const std::string& token, std::vector<std::string> audiences = {}) {
        const auto verdict = tokens.check(token, audiences);
        return verdict.holder ? verdict.holder->user.name : verdict.error;
    }
};

api::Json payload(const std::string& token) {
    const std::size_t first = token.find('.') + 1;
    std::string text;
    REQUIRE(api::base64_url_decode(std::string_view(token).substr(first, token.rfind('.') - first), text));
    return api::Json::parse(text);
}

constexpr const char* plain = R"({"expirationSeconds":600})";
constexpr const char* user_name = "system:serviceaccount:default:bot";

}  // namespace

TEST_CASE("a token names its account, holds for its time, and is void without its account") {
    Cluster cluster;
    const std::string token = cluster.token(plain);
    const api::Json claims = payload(token);
    CHECK(claims.at("sub") == user_name);
    CHECK(claims.at("iss") == "https://kubernetes.default.svc.cluster.local");
    CHECK(claims.at("aud") == api::Json::array({"https://kubernetes.default.svc.cluster.local"}));
    CHECK(claims.at("exp").get<int>() - claims.at("iat").get<int>() == 600);
    CHECK(claims.at("kubernetes.io").at("serviceaccount").at("uid") == api::uid_of(cluster.get("serviceaccounts", "bot")));
    CHECK(claims.at("jti").get<std::string>().size() == 36);

    const auto verdict = cluster.tokens.check(token, {});
    REQUIRE(verdict.holder);
    CHECK(verdict.holder->user.groups == std::vector<std::string>{"system:serviceaccounts", "system:serviceaccounts:default"});
    CHECK(verdict.holder->user.extra.at("authentication.kubernetes.io/credential-id")[0] ==
          "JTI=" + claims.at("jti").get<std::string>());

    cluster.advance(660s);
    CHECK(cluster.holder(token) == user_name);
    cluster.advance(1s);
    CHECK(cluster.holder(token) == "service account token has expired");

    const std::string other = cluster.token(plain);
    cluster.remove("serviceaccounts", "bot");
    CHECK(cluster.holder(other) == "serviceaccounts \"bot\" not found");
    cluster.create("serviceaccounts", R"({"metadata":{"name":"bot"}})");
    CHECK(cluster.holder(other).find("service account UID (") == 0);
}

TEST_CASE("a token that was changed is nobody's") {
    Cluster cluster;
    std::string token = cluster.token(plain);
    CHECK(cluster.holder("wrong") == "");
    CHECK(cluster.holder("a.b.c") == "");
    token[token.size() - 20] = token[token.size() - 20] == 'A' ? 'B' : 'A';
    CHECK(cluster.holder(token) == "go-jose/go-jose: error in cryptographic primitive");
    // The same key after a restart.
    api::ServiceAccountTokens again(cluster.registry());
    CHECK(again.check(cluster.token(plain), {}).holder.has_value());
}

TEST_CASE("audiences must meet") {
    Cluster cluster;
    const std::string token = cluster.token(R"({"expirationSeconds":600,"audiences":["vault","ci"]})");
    CHECK(cluster.holder(token) ==
          "token audiences [\"vault\" \"ci\"] is invalid for the target audiences "
          "[\"https://kubernetes.default.svc.cluster.local\"]");
    const auto verdict = cluster.tokens.check(token, {"ci", "x"});
    REQUIRE(verdict.holder);
    CHECK(verdict.holder->audiences == std::vector<std::string>{"ci"});
}

TEST_CASE("a bound token is void when what it is bound to is gone") {
    Cluster cluster;
    cluster.create("pods", R"({"metadata":{"name":"p"},"spec":{"serviceAccountName":"bot","containers":[
        {"name":"c","image":"i"}]}})");
    const std::string token =
        cluster.token(R"({"expirationSeconds":3607,"boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":"p"}})");
    const api::Json claims = payload(token).at("kubernetes.io");
    CHECK(claims.at("pod").at("name") == "p");
    // What a kubelet asks for lives a year, and warns after the hour.
    CHECK(payload(token).at("exp").get<int>() - payload(token).at("iat").get<int>() == 365 * 24 * 3600);
    CHECK(claims.at("warnafter").get<int>() - payload(token).at("iat").get<int>() == 3607);
    const auto verdict = cluster.tokens.check(token, {});
    REQUIRE(verdict.holder);
    CHECK(verdict.holder->user.extra.at("authentication.kubernetes.io/pod-name")[0] == "p");
    cluster.remove("pods", "p");
    CHECK(cluster.holder(token) == "service account token has been invalidated");
}

TEST_CASE("requests for tokens are validated") {
    Cluster cluster;
    CHECK(cluster.error(R"({"expirationSeconds":1})") ==
          "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 1: may not specify a duration "
          "less than 10 minutes");
    CHECK(cluster.error(R"({"expirationSeconds":600,"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"ghost"}})") ==
          "pods \"ghost\" not found");
    CHECK(cluster.error(R"({"expirationSeconds":600,"boundObjectRef":{"kind":"Lease","apiVersion":"coordination.k8s.io/v1"}})") ==
          "cannot bind token to object of type coordination.k8s.io/v1, Kind=Lease");
    cluster.create("secrets", R"({"metadata":{"name":"s"}})");
    CHECK(cluster.error(R"({"expirationSeconds":600,"boundObjectRef":{"kind":"Secret","apiVersion":"v1","name":"s","uid":"x"}})") ==
          "Operation cannot be fulfilled on Secret \"s\": the UID in the bound object reference (x) does not match the UID in record. "
          "The object might have been deleted and then recreated");
}

TEST_CASE("a token in a Secret holds as long as the Secret keeps it") {
    Cluster cluster;
    const std::string uid(api::uid_of(cluster.get("serviceaccounts", "bot")));
    const std::string token = cluster.tokens.issue_for_secret("default", {"bot", uid}, "kept");
    CHECK(cluster.holder(token) == "Token has been invalidated");
    cluster.create("secrets", api::Json{{"metadata", {{"name", "kept"}}}, {"stringData", {{"token", token}}}});
    CHECK(cluster.holder(token) == user_name);
    cluster.store().flush();
    CHECK(cluster.get("secrets", "kept").at("metadata").at("labels").at("kubernetes.io/legacy-token-last-used") == "2026-01-01");
    cluster.advance(std::chrono::hours(24 * 365));
    CHECK(cluster.holder(token) == user_name);
    cluster.patch("secrets", "kept", R"({"metadata":{"labels":{"kubernetes.io/legacy-token-invalid-since":"2027-01-01"}}})");
    CHECK(cluster.holder(token).find("the token in secret default/kept for service account default/bot has been marked invalid. ") == 0);
    cluster.patch("secrets", "kept", R"({"metadata":{"labels":{"kubernetes.io/legacy-token-invalid-since":null}}})");
    CHECK(cluster.holder(token) == user_name);
    cluster.remove("secrets", "kept");
    CHECK(cluster.holder(token) == "Token has been invalidated");
}

TEST_CASE("reviews of identity") {
    Cluster cluster;
    auto file = api::TokenFile::parse("secret,ann,7,\"dev,ops\"\n", "users.csv");
    REQUIRE(file);
    const api::TokenAuthenticator authenticator(std::move(*file), cluster.tokens);
    const auto review = [&](const char* kind, const char* json) {
        const auto answer = api::answer_identity_review(authenticator, {"eve", {}, {"g"}, {{"k", {"v"}}}}, kind,
                                                        cluster.clock().now(), api::Json::parse(json));
        return answer ? answer->at("status").dump() : answer.error()->message;
    };
    CHECK(review("TokenReview", R"({"spec":{"token":"secret"}})") ==
          R"({"audiences":["https://kubernetes.default.svc.cluster.local"],"authenticated":true,)"
          R"("user":{"groups":["dev","ops","system:authenticated"],"uid":"7","username":"ann"}})");
    CHECK(review("TokenReview", R"({"spec":{"token":"other"}})") == R"({"error":"invalid bearer token","user":{}})");
    CHECK(review("TokenReview", R"({"spec":{}})") == "token is required for TokenReview in authentication");
    CHECK(review("SelfSubjectReview", "{}") == R"({"userInfo":{"extra":{"k":["v"]},"groups":["g"],"username":"eve"}})");
}

TEST_CASE("files of tokens") {
    const auto error = [](const char* text) {
        const auto file = api::TokenFile::parse(text, "f");
        return file ? std::string() : file.error();
    };
    CHECK(error("a,b\n") == "token file 'f' must have at least 3 columns (token, user name, user uid), found 2");
    CHECK(error("a,b,c,\"d\n") == "f: record 1: a quotation does not end");
    const auto file = api::TokenFile::parse("t1,ann,1\r\n\n,nobody,2\nt2,\"o\"\"neil, x\",3,g", "f");
    REQUIRE(file);
    REQUIRE(file->find("t1") != nullptr);
    CHECK(file->find("t1")->groups.empty());
    CHECK(file->find("t2")->name == "o\"neil, x");
    CHECK(file->find("t2")->groups == std::vector<std::string>{"g"});
    CHECK(file->find("") == nullptr);
}
