// Protocol Buffers in and out: every type there and back, the bytes of some by hand, and what is wrong with others.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/codec/protobuf.h"
#include "api/schema/kind.h"

using namespace kubemu;
using namespace kubemu::api;

namespace {

// An object of a type with every field set, some levels deep.
class Sample {
  public:
    static Json of(const TypeInfo& type, int levels) {
        Json object = Json::object();
        for (const FieldInfo& field : type.fields) {
            if (type.has_type_meta && (field.name == "kind" || field.name == "apiVersion")) continue;
            if (levels_inside(field, type, levels) < 0) continue;
            object[std::string(field.name)] = shaped(field, type, levels);
        }
        return object;
    }

  private:
    // How many levels are left in a field; a type that holds itself uses them up faster.
    static int levels_inside(const FieldInfo& field, const TypeInfo& type, int levels) {
        const bool schema = field.wire_form != WireForm::plain && field.wire_form != WireForm::list_message;
        if (schema || field.type == &type) return levels - 2;
        return field.type == nullptr ? levels : levels - 1;
    }

    static Json shaped(const FieldInfo& field, const TypeInfo& type, int levels) {
        const Json one = value(field, type, levels);
        switch (field.shape) {
            case Shape::single: return one;
            case Shape::list: return Json::array({one, one});
            case Shape::map: return {{"b", one}, {"a/\"<>\n", one}, {"", one}};
            case Shape::map_of_lists: return {{"k", Json::array({one, one})}, {"none", Json::array()}};
        }
        return one;
    }

    static Json value(const FieldInfo& field, const TypeInfo& type, int levels) {
        const int inside = levels_inside(field, type, levels);
        switch (field.wire_form) {
            case WireForm::schema_or_list:
                return levels % 2 == 0 ? Json::array({of(type, inside), of(type, inside)}) : of(type, inside);
            case WireForm::schema_or_bool: return levels % 2 == 0 ? Json(true) : of(type, inside);
            case WireForm::schema_or_names: return levels % 2 == 0 ? Json::array({"x", "y"}) : of(type, inside);
            case WireForm::list_message:
            case WireForm::plain: break;
        }
        switch (field.kind) {
            case ValueKind::string: return "text \"of\" <" + std::string(field.name) + ">\n\xE2\x82\xAC";
            case ValueKind::boolean: return true;
            case ValueKind::int32: return -7;
            case ValueKind::int64: return std::int64_t{1} << 40;
            case ValueKind::float64: return 0.25;
            case ValueKind::bytes: return "AQID";
            case ValueKind::object: return of(*field.type, inside);
            case ValueKind::time: return "2024-02-29T23:59:59Z";
            case ValueKind::micro_time: return "1969-12-31T23:59:59.250001Z";
            case ValueKind::duration: return "1h0m1.5s";
            case ValueKind::quantity: return "1500m";
            case ValueKind::int_or_string: return levels % 2 == 0 ? Json("25%") : Json(8080);
            case ValueKind::raw: return Json{{"any", {1, "two", nullptr, 3.5}}};
            case ValueKind::fields_v1: return Json{{"f:spec", {{".", Json::object()}}}};
        }
        return nullptr;
    }
};

std::string text_of(const Json& object, const TypeInfo& type) {
    return type.has_type_meta ? encode_object(object, type, "group/v1", "Kind").text : encode_value(object, type);
}

// There and back as JSON text.
std::string round_trip(const std::string& json, const TypeInfo& type) {
    const std::string enveloped = encode_protobuf(json, type);
    const auto opened = open_protobuf(enveloped);
    REQUIRE(opened);
    if (type.has_type_meta) CHECK(opened->api_version + " " + opened->kind == "group/v1 Kind");
    const auto decoded = decode_protobuf(opened->raw, type);
    if (!decoded) FAIL(decoded.error());
    return text_of(*decoded, type);
}

std::string hex(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += "0123456789abcdef"[byte >> 4];
        out += "0123456789abcdef"[byte & 15];
    }
    return out;
}

std::string message_of(const char* json, const char* type) {
    return hex(protobuf_message(encode_protobuf(json, *find_type(type))));
}

std::string error_of(std::string_view message, const char* type) {
    const auto decoded = decode_protobuf(message, *find_type(type));
    return decoded ? "" : decoded.error();
}

}  // namespace

TEST_CASE("every type of the wire comes back as it was, full and empty") {
    for (const TypeInfo* type : all_types()) {
        if (type->wire.empty()) continue;  // a Table, or nothing at all
        CAPTURE(type->name);
        for (const int levels : {0, 1, 4}) {
            const std::string json = text_of(Sample::of(*type, levels), *type);
            CHECK(round_trip(json, *type) == json);
        }
        const std::string empty = text_of(Json::object(), *type);
        CHECK(round_trip(empty, *type) == empty);
    }
}

TEST_CASE("zero values are written as gogo's marshallers write them") {
    // Numbers, texts, booleans and structs that are no pointers are there; lists, maps and pointers are not.
    CHECK(message_of("{}", "core/v1.ContainerPort") == "0a00" "1000" "1800" "2200" "2a00");
    CHECK(message_of("{}", "core/v1.ConfigMap") ==
          "0a10" "0a00" "1200" "1a00" "2200" "2a00" "3200" "3800" "4200");
    // A struct that is embedded, a quantity, an int-or-string.
    CHECK(message_of("{}", "core/v1.EnvFromSource") == "0a00");
    CHECK(message_of("{}", "core/v1.Volume") == "0a00" "1200");
    CHECK(message_of("{}", "core/v1.ResourceFieldSelector") == "0a00" "1200" "1a03" "0a0130");
    CHECK(message_of("{}", "core/v1.TCPSocketAction") == "0a06" "0800" "1000" "1a00" "1200");
    // A pointer to a zero is not nothing.
    CHECK(message_of(R"({"replicas":0})", "apps/v1.ReplicaSetSpec") ==
          message_of("{}", "apps/v1.ReplicaSetSpec").insert(0, "0800"));
    CHECK(message_of(R"({"seconds":-1})", "core/v1.SleepAction") == "08ffffffffffffffffff01");
    CHECK(message_of(R"({"data":{"none":null,"empty":""}})", "core/v1.Secret").substr(36) ==
          "1209" "0a05656d707479" "1200" "1206" "0a046e6f6e65" "1a00");
    CHECK(message_of(R"({"verbs":[]})", "meta/v1.APIResource") ==
          "0a00"
          "1000"
          "1a00"
          "2200"
          "3200"
          "4200"
          "4a00"
          "5200");
}

TEST_CASE("maps are written by key, whatever their order and their escapes") {
    const std::string sorted = message_of(R"({"data":{"<":"1","a":"2","b":"3"}})", "core/v1.ConfigMap");
    CHECK(sorted.substr(36) == "1206" "0a013c" "120131" "1206" "0a0161" "120132" "1206" "0a0162" "120133");
    CHECK(message_of(R"({"data":{"b":"3","a":"2","\u003c":"1"}})", "core/v1.ConfigMap") == sorted);
}

TEST_CASE("text that does not fit the type is left out") {
    const std::string none = message_of("{}", "core/v1.ConfigMap");
    CHECK(message_of(R"({"data":["odd"]})", "core/v1.ConfigMap") == none);
    CHECK(message_of(R"({"data":7,"metadata":[{}],"immutable":null})", "core/v1.ConfigMap") == none);
    CHECK(message_of("{\"data\":{", "core/v1.ConfigMap") == none);
    CHECK(message_of(R"({"finalizers":{"a":1}})", "meta/v1.ObjectMeta") == message_of("{}", "meta/v1.ObjectMeta"));
}

TEST_CASE("the envelope") {
    const std::string object = encode_protobuf(R"({"kind":"Lease","apiVersion":"coordination.k8s.io/v1"})",
                                               *find_type("meta/v1.Preconditions"));
    CHECK(hex(object) ==
          "6b387300"
          "0a1f"
          "0a16" +
              hex("coordination.k8s.io/v1") + "1205" + hex("Lease") +
              "1200"
              "1a00"
              "2200");
    CHECK(protobuf_message(object).empty());
}

TEST_CASE("lists share their items") {
    const std::string item = encode_protobuf(R"({"metadata":{"name":"a"}})", *find_type("core/v1.ConfigMap"));
    ProtobufList list{"v1", "ConfigMapList", R"({"resourceVersion":"7","remainingItemCount":3})"};
    const std::string_view message = protobuf_message(item);
    list.items.assign(2, Slice(message, nullptr));
    std::string bytes;
    for (const Slice& part : encode_protobuf_list(list)) {
        bytes += part.text;
        if (part.text.data() == message.data()) --list.metadata_number;
    }
    CHECK(list.metadata_number == -1);
    // The same as from the text of the whole list.
    CHECK(hex(bytes) == hex(encode_protobuf(
                            R"({"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"7",)"
                            R"("remainingItemCount":3},"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"a"}}]})",
                            *find_type("core/v1.ConfigMapList"))));
    list.metadata_number = 2;
    list.items_number = 1;
    bytes.clear();
    for (const Slice& part : encode_protobuf_list(list)) bytes += part.text;
    CHECK(hex(protobuf_message(bytes)).substr(0, 4) == "0a13");
}

TEST_CASE("watch events are frames without an envelope") {
    const std::string head = protobuf_event_head("ADDED", 200);
    CHECK(hex(head) == "000000d5" "0a05" + hex("ADDED") + "12cb01" "0ac801");
}

TEST_CASE("what is no message gets the words of gogo's readers") {
    CHECK(open_protobuf("").error() == "empty data");
    CHECK(open_protobuf("{}").error() ==
          "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
    CHECK(open_protobuf(std::string_view("k8s\0", 4)).error() == "empty body");
    CHECK(open_protobuf(std::string_view("k8s\0\x0a\x05", 6)).error() == "unexpected EOF");
    CHECK(error_of("\x0a\x05", "core/v1.Pod") == "unexpected EOF");
    CHECK(error_of(std::string_view("\x08\x00", 2), "core/v1.Pod") == "proto: wrong wireType = 0 for field ObjectMeta");
    CHECK(error_of(std::string_view("\x0a\x02\x28\x00", 4), "core/v1.Pod") ==
          "proto: wrong wireType = 0 for field UID");
    CHECK(error_of(std::string_view("\x00", 1), "core/v1.Pod") == "proto: Pod: illegal tag 0 (wire type 0)");
    CHECK(error_of("\x0c", "core/v1.Pod") == "proto: Pod: wiretype end group for non-group");
    CHECK(error_of("\xfe\x01", "core/v1.Pod") == "proto: illegal wireType 6");
    CHECK(error_of("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", "core/v1.Pod") == "proto: integer overflow");
    CHECK(error_of("\x0a\x03\x0a\x01x", "core/v1.ResourceQuotaSpec").substr(0, 10) == "");
    CHECK(error_of("\x1a\x03\x0a\x01x", "core/v1.ResourceFieldSelector").substr(0, 10) == "quantities");
}

TEST_CASE("what nobody knows is skipped, groups included") {
    // Field 900 as a group with a number and a text in it, then metadata.name.
    const std::string_view message("\xa3\x38\x08\x01\x12\x02hi\xa4\x38\x0a\x05\x0a\x03one", 17);
    const auto pod = decode_protobuf(message, *find_type("core/v1.Pod"));
    REQUIRE(pod);
    CHECK(pod->dump() == R"({"metadata":{"name":"one"}})");
    const auto mended = decode_protobuf("\x0a\x04\x0a\x02\xff!", *find_type("core/v1.Pod"));
    REQUIRE(mended);
    CHECK((*mended)["metadata"]["name"] == "\xEF\xBF\xBD!");
}
