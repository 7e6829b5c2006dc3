// URLs: what they name.
#include "api/request_info.h"

#include <doctest/doctest.h>

using namespace kubemu::api;

TEST_CASE("paths of resources") {
    const RequestInfo pod = parse_request_info("/api/v1/namespaces/ns/pods/a%2Db/log", "follow=true&tailLines=5&x=a+b%3D&follow=false");
    CHECK(pod.is_resource);
    CHECK(pod.group.empty());
    CHECK(pod.version == "v1");
    CHECK(pod.namespace_name == "ns");
    CHECK(pod.resource == "pods");
    CHECK(pod.name == "a-b");
    CHECK(pod.subresource == "log");
    CHECK(pod.flag("follow"));
    CHECK(pod.parameter("x") == "a b=");
    const RequestInfo space = parse_request_info("/api/v1/namespaces/ns", "");
    CHECK(space.resource == "namespaces");
    CHECK(space.name == "ns");
    CHECK(space.namespace_name.empty());
    const RequestInfo status = parse_request_info("/api/v1/namespaces/ns/status", "");
    CHECK(status.resource == "namespaces");
    CHECK(status.subresource == "status");
    const RequestInfo watch = parse_request_info("/apis/apps/v1/watch/namespaces/ns/deployments/d", "");
    CHECK(watch.watch_path);
    CHECK(watch.group == "apps");
    CHECK(watch.name == "d");
    const RequestInfo deep = parse_request_info("/api/v1/namespaces/ns/pods/p/proxy/a/b", "");
    CHECK(deep.subresource == "proxy/a/b");
    CHECK_FALSE(parse_request_info("/version", "").is_resource);
    CHECK_FALSE(parse_request_info("/apis/apps/v1", "").is_resource);
}

TEST_CASE("flags are Go's") {
    const RequestInfo info = parse_request_info("/api/v1/pods", "a&b=0&c=false&d=maybe");
    CHECK(info.flag("a"));
    CHECK_FALSE(info.flag("b"));
    CHECK_FALSE(info.flag("c"));
    CHECK(info.flag("d"));
    CHECK_FALSE(info.flag("e"));
}

TEST_CASE("paths are decoded before they are taken apart, and empty parts are parts") {
    CHECK(parse_request_info("/api/v1/namespaces/ns/pods/a%2Flog", "").subresource == "log");
    CHECK(parse_request_info("/api/v1/namespaces/ns/pods/a%2F", "").name == "a");
    const RequestInfo nowhere = parse_request_info("/api/v1/namespaces//pods", "");
    CHECK(nowhere.resource == "pods");
    CHECK(nowhere.lacks_namespace);
    CHECK_FALSE(parse_request_info("/api/v1/pods", "").lacks_namespace);
    CHECK(parse_request_info("/api/v1/namespaces/ns//pods", "").resource.empty());
    CHECK_FALSE(parse_request_info("//api/v1/pods", "").is_resource);
    CHECK(is_percent_encoded("/a%2fb"));
    for (const char* wrong : {"/%", "/%2", "/%zz"}) CHECK_FALSE(is_percent_encoded(wrong));
}

TEST_CASE("a timeout matters to what ends by itself") {
    const auto wrong = [](const char* path, const char* query) { return wrong_timeout(parse_request_info(path, query)); };
    CHECK(wrong("/api/v1/pods", "timeout=5s").empty());
    CHECK(wrong("/api/v1/pods", "timeout=x") == "invalid timeout specified in the request URL - time: invalid duration \"x\"");
    CHECK_FALSE(wrong("/healthz", "timeout=1").empty());
    CHECK(wrong("/api/v1/pods", "timeout=1&watch=1").empty());
    CHECK_FALSE(wrong("/api/v1/namespaces/a/pods/p", "timeout=1&watch=1").empty());
    for (const char* part : {"log", "exec", "proxy/x"}) {
        CHECK(wrong(("/api/v1/namespaces/a/pods/p/" + std::string(part)).c_str(), "timeout=1").empty());
    }
}
