// Accept and Content-Type.
#include "api/negotiate.h"

#include <doctest/doctest.h>

using namespace kubemu::api;
using As = AnswerForm::As;

TEST_CASE("the best of what is asked for") {
    CHECK(negotiate("")->as == As::object);
    CHECK(negotiate("application/yaml")->yaml);
    CHECK_FALSE(negotiate("application/yaml;q=0.5,application/json")->yaml);
    CHECK(negotiate("application/vnd.kubernetes.protobuf,application/json")->as == As::object);
    const auto table = negotiate("application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
    CHECK(table->as == As::table);
    CHECK(table->meta_version == "v1");
    CHECK(negotiate("application/json;as=Table;v=v1beta1;g=meta.k8s.io")->meta_version == "v1beta1");
    CHECK(negotiate("application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io")->as == As::partial);
    CHECK(negotiate("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")->as == As::partial_list);
    CHECK(negotiate("application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io")->discovery_version == "v2");
    // Forms that are not known, or that this answer cannot take, give way to the next.
    CHECK(negotiate("application/json;as=Odd;v=v1;g=meta.k8s.io,*/*")->as == As::object);
    CHECK(negotiate("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", false)->as == As::object);
}

TEST_CASE("nothing that is asked for") {
    const auto odd = negotiate("application/json;as=Table;v=v9;g=meta.k8s.io");
    REQUIRE(!odd);
    CHECK(odd.error().code() == 406);
    CHECK(odd.error()->message ==
          "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf");
    CHECK_FALSE(negotiate("text/html"));
}

TEST_CASE("routes look at types alone") {
    CHECK(check_accept("", object_types, false));
    CHECK(check_accept("text/html, application/json;q=0.1;as=Odd", object_types, false));
    CHECK(check_accept("*/*", json_types, false));
    CHECK_FALSE(check_accept("application/*", object_types, false));
    const auto refused = check_accept("text/html", json_types, false);
    REQUIRE(!refused);
    CHECK(refused.error()->message == "406: Not Acceptable\n\nAvailable representations: application/json");
    CHECK(check_accept("text/html", json_types, true).error().code() == 415);
}

TEST_CASE("bodies") {
    CHECK(*body_form("") == BodyForm::json);
    CHECK(*body_form("application/json; charset=utf-8") == BodyForm::json);
    CHECK(*body_form("application/yaml") == BodyForm::yaml);
    CHECK(*body_form("application/vnd.kubernetes.protobuf") == BodyForm::protobuf);
    CHECK(body_form("text/plain").error().code() == 415);
}
