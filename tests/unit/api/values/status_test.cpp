// Status: the wire form of each kind of error.
#include "api/values/status.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/values/field_errors.h"

using namespace kubemu::api;

TEST_CASE("members stand in the real server's order, and what is empty is left out") {
    CHECK(Status::not_found("apps", "deployments", "x").to_json() ==
          R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"deployments.apps \"x\" not found",)"
          R"("reason":"NotFound","details":{"name":"x","group":"apps","kind":"deployments"},"code":404})"
          "\n");
    CHECK(Status::plain_500("boom").to_json() ==
          R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"boom","code":500})"
          "\n");
    CHECK(Status::bad_request("no").to_document().contains("details") == false);
}

TEST_CASE("what routes say has details, empty ones") {
    struct Case {
        int code;
        const char* reason;
        const char* message;
    };
    const Case cases[] = {{404, "NotFound", "the server could not find the requested resource"},
                          {405, "MethodNotAllowed", "the server does not allow this method on the requested resource"},
                          {406, "NotAcceptable", "sentence"},
                          {415, "UnsupportedMediaType", "sentence"},
                          {422, "Invalid", "the server rejected our request due to an error in our request"}};
    for (const Case& one : cases) {
        const Json status = Status::server_response(one.code, "sentence").to_document();
        CHECK(status["code"] == one.code);
        CHECK(status["reason"] == one.reason);
        CHECK(status["message"] == one.message);
        CHECK(status["details"] == Json::object());
    }
}

TEST_CASE("all causes of an invalid object are told, equal ones once in the message") {
    FieldErrors errors;
    errors.required(FieldPath("spec").child("a"), "");
    errors.invalid(FieldPath("spec").child("b").index(0), "x", "is wrong");
    errors.invalid(FieldPath("spec").child("b").index(0), "x", "is wrong");
    errors.not_supported(FieldPath("spec").child("c").key("k"), "x", {"a", "b"});
    const Json status = Status::invalid("g", "Kind", "n", errors).to_document();
    CHECK(status["message"] ==
          "Kind.g \"n\" is invalid: [spec.a: Required value, spec.b[0]: Invalid value: \"x\": is wrong, spec.c[k]: Unsupported "
          "value: \"x\": supported values: \"a\", \"b\"]");
    CHECK(status["details"]["causes"].size() == 4);
    CHECK(status["details"]["causes"][3]["reason"] == "FieldValueNotSupported");
}

TEST_CASE("a time to wait, and a token to go on with") {
    CHECK(Status::timeout("", "pods", "create", 2).to_document()["details"]["retryAfterSeconds"] == 2);
    StatusDetail detail = *Status::expired("old");
    detail.continue_token = "abc";
    CHECK(Status(std::move(detail)).to_document()["metadata"]["continue"] == "abc");
}
