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
