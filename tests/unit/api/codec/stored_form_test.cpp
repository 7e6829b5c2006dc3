// Random documents of every type: what is brought into the stored form is what comes of encoding and reading.
#include "api/codec/stored_form.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "api/codec/json.h"

namespace kubemu::api {
namespace {

class Generator {
  public:
    explicit Generator(unsigned seed) : random_(seed) {}

    Json object(const TypeInfo& type, int depth) {
        Json made = Json::object();
        for (const FieldInfo& field : type.fields) {
            // Of each kind some, and few where there are many.
            if (chance(depth > 3 ? 8 : 3)) made[std::string(field.name)] = value(field, depth);
        }
        if (chance(10)) made["noSuchField"] = "x";
        return made;
    }

  private:
    bool chance(unsigned of) { return random_() % of == 0; }

    Json value(const FieldInfo& field, int depth) {
        if (chance(12)) return nullptr;
        if (field.shape == Shape::single) return single(field, depth);
        const bool list = field.shape == Shape::list;
        Json made = list ? Json::array() : Json::object();
        for (unsigned left = random_() % 3; left > 0; --left) {
            Json item = field.shape == Shape::map_of_lists ? Json::array({single(field, depth), single(field, depth)}) : single(field, depth);
            if (list) made.push_back(std::move(item));
            else made["key" + std::to_string(left)] = std::move(item);
        }
        return made;
    }

    Json single(const FieldInfo& field, int depth) {
        const bool zero = chance(4);
        switch (field.kind) {
            case ValueKind::string: return zero ? "" : "text";
            case ValueKind::boolean: return !zero;
            case ValueKind::int32:
            case ValueKind::int64: return zero ? Json(0) : chance(2) ? Json(-3) : Json(7);
            case ValueKind::float64: return zero ? Json(0.0) : chance(2) ? Json(5.0) : Json(0.25);
            case ValueKind::bytes: return zero ? "" : "YQ==";
            case ValueKind::object: return chance(15) ? Json() : depth > 5 ? Json::object() : object(*field.type, depth + 1);
            case ValueKind::time:
            case ValueKind::micro_time: return zero ? "" : "2026-01-01T00:00:00Z";
            case ValueKind::duration: return zero ? "0s" : "1m0s";
            case ValueKind::quantity: return zero ? "0" : "100m";
            case ValueKind::int_or_string: return zero ? Json(0) : chance(2) ? Json("http") : Json(80);
            case ValueKind::raw: return zero ? Json::object() : Json{{"a", {1.5, 2.0, nullptr, ""}}, {"b", Json::object()}};
            case ValueKind::fields_v1: return Json{{"f:metadata", {{"f:labels", Json::object()}}}};
        }
        return nullptr;
    }

    std::mt19937 random_;
};

TEST_CASE("the stored form of a document is what encoding and reading make of it") {
    Generator generator(7);
    std::size_t types = 0, documents = 0;
    for (const TypeInfo* type : all_types()) {
        const FieldInfo* metadata = type->field("metadata");
        if (!type->has_type_meta || metadata == nullptr || metadata->type == nullptr || metadata->type->field("uid") == nullptr) continue;
        ++types;
        for (int i = 0; i < 20; ++i, ++documents) {
            Json object = generator.object(*type, 0);
            object["metadata"]["name"] = "a";
            const Encoded encoded = encode_object(object, *type, "v1", "Thing");
            std::string text = encoded.text;
            text.insert(encoded.revision_at, "12");
            const Json read = parse_stored_json(text);
            const Json before = object;
            bring_into_stored_form(object, *type);
            object["kind"] = "Thing";
            object["apiVersion"] = "v1";
            object["metadata"]["resourceVersion"] = "12";
            CAPTURE(std::string(type->name));
            CAPTURE(before.dump());
            REQUIRE(object == read);
            REQUIRE(object.dump() == read.dump());
        }
    }
    CHECK(types > 60);
    CHECK(documents > 1000);
}

}  // namespace
}  // namespace kubemu::api
