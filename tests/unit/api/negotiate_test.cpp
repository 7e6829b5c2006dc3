// Accept and Content-Type.
#include "api/negotiate.h"

#include <doctest/doctest.h>

using namespace kubemu::api;
using As = AnswerForm::As;

TEST_CASE("the best of what is asked for") {
    CHECK(negotiate("")->as == As::object);
    CHECK(negotiate("application/yaml")->encoding == Encoding::yaml);
    CHECK(negotiate("application/yaml;q=0.5,application/json")->encoding == Encoding::json);
    CHECK(negotiate("application/json;q=0.5, application/yaml; q=0.7 ,*/*")->encoding == Encoding::json);
    CHECK(negotiate("application/vnd.kubernetes.protobuf,application/json")->encoding == Encoding::protobuf);
    CHECK(negotiate("application/json;q=0.9,application/vnd.kubernetes.protobuf;q=0.91")->encoding ==
          Encoding::protobuf);
    // What says more goes first, and a weight that is no number, or 0, comes last without being a refusal.
    CHECK(negotiate("*/*,application/yaml")->encoding == Encoding::yaml);
    CHECK(negotiate("application/*,application/yaml")->encoding == Encoding::yaml);
    CHECK(negotiate("application/json;q=no,application/yaml;q=0.1")->encoding == Encoding::yaml);
    CHECK(negotiate("application/yaml;q=0")->encoding == Encoding::yaml);
    CHECK(negotiate("*")->encoding == Encoding::json);
    CHECK(negotiate("nothing,application/json/x,application/yaml")->encoding == Encoding::yaml);
    CHECK(negotiate("application/json;pretty=1")->pretty);
    const auto table = negotiate("application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
    CHECK(table->as == As::table);
    CHECK(table->meta_version == "v1");
    CHECK(negotiate("application/json;as=Table;v=v1beta1;g=meta.k8s.io")->meta_version == "v1beta1");
    CHECK(negotiate("application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io")->as == As::partial);
    CHECK(negotiate("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")->as == As::partial_list);
    const Endpoint discovery{Endpoint::Transforms::discovery};
    CHECK(negotiate("application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io", discovery)
              ->discovery_version == "v2");
    CHECK(negotiate("application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io")->encoding ==
          Encoding::protobuf);
    // Forms that are not known, or that this answer cannot take, give way to the next.
    CHECK(negotiate("application/json;as=Odd;v=v1;g=meta.k8s.io,*/*")->as == As::object);
    CHECK(negotiate("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", {.tables = false})->as ==
          As::object);
    CHECK(negotiate("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/"
                    "json;as=Table;v=v1;g=meta.k8s.io")
              ->encoding == Encoding::json);
    CHECK(negotiate("application/json;stream=chat,application/yaml;stream=watch,application/"
                    "vnd.kubernetes.protobuf;stream=watch")
              ->encoding == Encoding::protobuf);
    CHECK(negotiate("application/json;sv=v2,application/yaml;sv=v1")->encoding == Encoding::yaml);
    CHECK(negotiate("application/vnd.kubernetes.protobuf,application/yaml", {.protobuf = false})->encoding ==
          Encoding::yaml);
}

TEST_CASE("nothing that is asked for") {
    const auto odd = negotiate("application/json;as=Table;v=v9;g=meta.k8s.io");
    REQUIRE(!odd);
    CHECK(odd.error().code() == 406);
    CHECK(odd.error()->message ==
          "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf");
    CHECK_FALSE(negotiate("text/html"));
    CHECK_FALSE(negotiate("application/cbor"));
    CHECK_FALSE(negotiate(" "));
    CHECK_FALSE(negotiate("application/json;v=v1;g=meta.k8s.io"));
    CHECK_FALSE(negotiate("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io"));
    CHECK_FALSE(negotiate("application/vnd.kubernetes.protobuf", {.protobuf = false}));
    CHECK_FALSE(negotiate("application/json;as=Table;v=v1;g=meta.k8s.io", plain_endpoint));
    CHECK_FALSE(negotiate("application/json;sv=v1", plain_endpoint));
    CHECK_FALSE(negotiate("application/json", {Endpoint::Transforms::discovery}));
}

TEST_CASE("JSON for people") {
    const auto pretty = [](const char* query, const char* agent) {
        Request request;
        request.query = query;
        request.user_agent = agent;
        return negotiate(request, plain_endpoint)->pretty;
    };
    CHECK_FALSE(pretty("", "kubectl/v1.36.0"));
    CHECK(pretty("watch=0&pretty=true", "kubectl/v1.36.0"));
    CHECK(pretty("pretty=1", ""));
    CHECK_FALSE(pretty("pretty=yes", "curl/8"));
    CHECK_FALSE(pretty("pretty=false", "Mozilla/5.0 (X11)"));
    CHECK(pretty("pretty=", "curl/8"));
    CHECK(pretty("", "Wget/1.21"));
    CHECK(pretty("", "Mozilla/5.0 (X11)"));
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
    CHECK(*body_form("application/json; charset=\"a;b\" ; x=y;") == BodyForm::json);
    for (const char* odd : {"application/json;charset", "application/json;=x", "application/json;a=", "application/json;a=b;A=c",
                            "application/json;a=\"b", "application/json;a=\"b\"c"}) {
        CAPTURE(odd);
        CHECK_FALSE(body_form(odd));
    }
    CHECK(*body_form("application/yaml") == BodyForm::yaml);
    CHECK(*body_form("application/vnd.kubernetes.protobuf") == BodyForm::protobuf);
    CHECK(body_form("text/plain").error().code() == 415);
}
