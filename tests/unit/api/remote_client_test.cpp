// Where a webhook's configuration sends its calls.
#include "api/remote_client.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

namespace kubemu::api {
namespace {

std::string url_of(const Json& config) {
    tests::TestCluster cluster;
    return call_by_config(cluster.registry(), config, 10, {}).url;
}

// A server with a ServeMux redirects the paths that are not clean, and what is redirected arrives without its body.
TEST_CASE("paths are joined as client-go joins them") {
    CHECK(url_of({{"url", "https://127.0.0.1:1//check"}}) == "https://127.0.0.1:1/check?timeout=10s");
    CHECK(url_of({{"url", "https://example.com/a/./b/../c/"}}) == "https://example.com/a/c?timeout=10s");
    CHECK(url_of({{"url", "https://example.com"}}) == "https://example.com/?timeout=10s");
    CHECK(url_of({{"url", "https://example.com/../.."}}) == "https://example.com/?timeout=10s");
    CHECK(url_of({{"service", {{"namespace", "n"}, {"name", "s"}, {"path", "//a/"}}}}) == "https://s.n.svc:443/a?timeout=10s");
    CHECK(url_of({{"service", {{"namespace", "n"}, {"name", "s"}, {"port", 8443}}}}) == "https://s.n.svc:8443/?timeout=10s");
}

}  // namespace
}  // namespace kubemu::api
