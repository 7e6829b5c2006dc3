// Construction, equality and order of values.
#include "api/cel/value.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "api/cel/times.h"
#include "api/values/text.h"

namespace kubemu::api::cel {
namespace {

Value with_text(Kind kind, std::string text) {
    Value value;
    value.kind = kind;
    value.text = std::make_shared<const std::string>(std::move(text));
    return value;
}

std::size_t runes(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool numeric(const Value& value) {
    return value.kind == Kind::integer || value.kind == Kind::unsigned_integer || value.kind == Kind::real;
}

int order(auto a, auto b) { return a < b ? -1 : a > b ? 1 : 0; }

std::optional<int> compare_numbers(const Value& a, const Value& b) {
    if (a.kind == Kind::real || b.kind == Kind::real) {
        const auto real = [](const Value& v) {
            return v.kind == Kind::real ? v.real : v.kind == Kind::integer ? static_cast<double>(v.integer) : static_cast<double>(v.unsigned_integer);
        };
        if (std::isnan(real(a)) || std::isnan(real(b))) return std::nullopt;
        return order(real(a), real(b));
    }
    if (a.kind == b.kind) return a.kind == Kind::integer ? order(a.integer, b.integer) : order(a.unsigned_integer, b.unsigned_integer);
    if (a.kind == Kind::integer) return a.integer < 0 ? -1 : order(static_cast<std::uint64_t>(a.integer), b.unsigned_integer);
    return b.integer < 0 ? 1 : order(a.unsigned_integer, static_cast<std::uint64_t>(b.integer));
}

const structural::Schema* member_schema(const structural::Schema* schema, const std::string& name) {
    return schema == nullptr ? nullptr : schema->member(name);
}

bool same_items(const Value& a, const Value& b) {
    if (a.size() != b.size()) return false;
    const bool unordered = a.schema != nullptr && a.schema->list_type && *a.schema->list_type != "atomic";
    for (std::size_t i = 0; i < a.size(); ++i) {
        bool found = false;
        for (std::size_t j = unordered ? 0 : i; j < (unordered ? b.size() : i + 1) && !found; ++j) found = equal(a.at(i), b.at(j));
        if (!found) return false;
    }
    return true;
}

bool same_members(const Value& a, const Value& b) {
    if (a.size() != b.size()) return false;
    for (const Value& key : a.keys()) {
        const auto left = a.member(key), right = b.member(key);
        if (!left || !right || !equal(*left, *right)) return false;
    }
    return true;
}

}  // namespace

Value Value::of(bool value) {
    Value made;
    made.kind = Kind::boolean;
    made.truth = value;
    return made;
}
Value Value::of(std::int64_t value) {
    Value made;
    made.kind = Kind::integer;
    made.integer = value;
    return made;
}
Value Value::of(std::uint64_t value) {
    Value made;
    made.kind = Kind::unsigned_integer;
    made.unsigned_integer = value;
    return made;
}
Value Value::of(double value) {
    Value made;
    made.kind = Kind::real;
    made.real = value;
    return made;
}
Value Value::of(std::string value) { return with_text(Kind::string, std::move(value)); }
Value Value::of_bytes(std::string value) { return with_text(Kind::bytes, std::move(value)); }
Value Value::of_type(std::string name) { return with_text(Kind::type, std::move(name)); }
Value Value::error(std::string message) { return with_text(Kind::error, std::move(message)); }
Value Value::of(List items) {
    Value made;
    made.kind = Kind::list;
    made.items = std::make_shared<const List>(std::move(items));
    return made;
}
Value Value::of(Entries entries) {
    Value made;
    made.kind = Kind::map;
    made.entries = std::make_shared<const Entries>(std::move(entries));
    return made;
}
Value Value::duration(std::int64_t nanoseconds) {
    Value made;
    made.kind = Kind::duration;
    made.integer = nanoseconds;
    return made;
}
Value Value::timestamp(std::int64_t seconds, std::int64_t nanoseconds) {
    Value made;
    made.kind = Kind::timestamp;
    made.integer = seconds;
    made.nanoseconds = nanoseconds;
    return made;
}
Value Value::some(Value value) {
    Value made = of(List{std::move(value)});
    made.kind = Kind::optional;
    return made;
}
Value Value::none() {
    Value made = of(List{});
    made.kind = Kind::optional;
    return made;
}

Value Value::of(const LazyMembers& members) {
    Value made;
    made.kind = Kind::object;
    made.lazy = &members;
    made.entries = std::make_shared<const Entries>();
    return made;
}

Value Value::from(const Json& document, const structural::Schema* schema, bool resource) {
    switch (document.type()) {
        case Json::value_t::null:
            return null();
        case Json::value_t::boolean:
            return of(document.get<bool>());
        case Json::value_t::number_float: {
            const double number = document.get<double>();
            if (schema != nullptr && schema->type == "integer") return of(static_cast<std::int64_t>(number));
            return of(number);
        }
        case Json::value_t::number_integer:
        case Json::value_t::number_unsigned:
            if (schema != nullptr && schema->type == "number" && !schema->int_or_string) return of(document.get<double>());
            return of(document.get<std::int64_t>());
        case Json::value_t::string: {
            const std::string& text = document.get_ref<const std::string&>();
            if (schema == nullptr || schema->int_or_string) return of(text);
            if (schema->format == "byte") {
                std::string bytes;
                return base64_decode(text, bytes) ? of_bytes(std::move(bytes)) : error("illegal base64 data");
            }
            if (schema->format == "duration") return parse_duration(text);
            if (schema->format == "date") return parse_timestamp(text + "T00:00:00Z");
            if (schema->format == "date-time") return parse_timestamp(text);
            return of(text);
        }
        default:
            break;
    }
    Value made;
    made.document = &document;
    made.schema = schema;
    made.resource = resource || (schema != nullptr && schema->embedded_resource);
    made.kind = document.is_array() ? Kind::list : schema != nullptr && schema->additional_properties ? Kind::map : Kind::object;
    if (schema == nullptr && document.is_object()) made.kind = Kind::map;
    return made;
}

std::size_t Value::size() const {
    if (kind == Kind::string) return runes(*text);
    if (kind == Kind::bytes) return text->size();
    if (document != nullptr) return document->size();
    if (kind == Kind::list) return items->size();
    if (kind == Kind::map) return entries->size();
    return 1;
}

Value Value::at(std::size_t index) const {
    if (document == nullptr) return (*items)[index];
    return from((*document)[index], schema == nullptr ? nullptr : schema->items.get());
}

std::optional<Value> Value::member(const Value& key) const {
    if (lazy != nullptr) return key.kind == Kind::string ? lazy->member(key.str()) : std::nullopt;
    if (document != nullptr) {
        if (key.kind != Kind::string) return std::nullopt;
        const auto found = document->find(key.str());
        if (found == document->end()) return std::nullopt;
        return from(*found, member_schema(schema, key.str()));
    }
    for (const auto& [known, value] : *entries) {
        if (equal(known, key)) return value;
    }
    return std::nullopt;
}

std::optional<Value> Value::field(std::string_view name) const {
    return member(of(kind == Kind::object && lazy == nullptr ? unescape_name(name) : std::string(name)));
}

std::vector<Value> Value::keys() const {
    std::vector<Value> out;
    if (document != nullptr) {
        for (const auto& [name, value] : document->items()) out.push_back(of(name));
    } else {
        for (const auto& [key, value] : *entries) out.push_back(key);
    }
    return out;
}

Value::List Value::list() const {
    List out;
    out.reserve(size());
    for (std::size_t i = 0; i < size(); ++i) out.push_back(at(i));
    return out;
}

std::string Value::type_name() const {
    static constexpr std::string_view names[] = {"error", "null_type", "bool", "int", "uint", "double", "string", "bytes", "list", "map",
                                                 "object", "type", "google.protobuf.Timestamp", "google.protobuf.Duration",
                                                 "optional_type", "net.IP", "net.CIDR", "kubernetes.URL", "kubernetes.Quantity",
                                                 "kubernetes.NamedFormat", "kubernetes.Semver", ""};
    if (kind == Kind::authorization) return *text;
    return std::string(names[static_cast<std::size_t>(kind)]);
}

bool equal(const Value& a, const Value& b) {
    if (numeric(a) && numeric(b)) return compare_numbers(a, b) == 0;
    const auto mapping = [](const Value& value) { return value.kind == Kind::map || value.kind == Kind::object; };
    if (mapping(a) && mapping(b)) return same_members(a, b);
    if (a.kind != b.kind) return false;
    switch (a.kind) {
        case Kind::null:
            return true;
        case Kind::boolean:
            return a.truth == b.truth;
        case Kind::list:
            return same_items(a, b);
        case Kind::optional:
            return a.has_value() == b.has_value() && (!a.has_value() || equal(a.at(0), b.at(0)));
        case Kind::duration:
            return a.integer == b.integer;
        case Kind::timestamp:
            return a.integer == b.integer && a.nanoseconds == b.nanoseconds;
        case Kind::ip:
            return a.as<NetipAddress>() == b.as<NetipAddress>();
        case Kind::cidr:
            return a.as<Cidr>() == b.as<Cidr>();
        case Kind::quantity:
            return a.as<Quantity>() == b.as<Quantity>();
        default:
            return a.text != nullptr && b.text != nullptr && *a.text == *b.text;
    }
}

std::optional<int> compare(const Value& a, const Value& b) {
    if (numeric(a) && numeric(b)) return compare_numbers(a, b);
    if (a.kind != b.kind) return std::nullopt;
    switch (a.kind) {
        case Kind::string:
        case Kind::bytes:
            return order(*a.text, *b.text);
        case Kind::boolean:
            return order(a.truth, b.truth);
        case Kind::duration:
            return order(a.integer, b.integer);
        case Kind::timestamp:
            return a.integer != b.integer ? order(a.integer, b.integer) : order(a.nanoseconds, b.nanoseconds);
        default:
            return std::nullopt;
    }
}

namespace {

const std::set<std::string_view>& reserved() {
    static const std::set<std::string_view> words = {"true",  "false", "null",      "in",     "as",   "break",   "const", "continue", "else", "for",
                                                     "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while"};
    return words;
}

constexpr std::pair<std::string_view, std::string_view> escapes[] = {
    {"__", "__underscores__"}, {".", "__dot__"}, {"-", "__dash__"}, {"/", "__slash__"}};

}  // namespace

bool is_reserved(std::string_view name) { return reserved().contains(name); }

std::optional<std::string> escape_name(std::string_view name) {
    if (reserved().contains(name)) return "__" + std::string(name) + "__";
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return std::nullopt;
    std::string out;
    for (std::size_t i = 0; i < name.size();) {
        bool escaped = false;
        for (const auto& [plain, word] : escapes) {
            if (name.substr(i, plain.size()) != plain) continue;
            out += word;
            i += plain.size();
            escaped = true;
            break;
        }
        if (escaped) continue;
        const char c = name[i++];
        if (!(c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return std::nullopt;
        out += c;
    }
    return out;
}

std::string unescape_name(std::string_view name) {
    if (name.size() > 4 && name.substr(0, 2) == "__" && name.substr(name.size() - 2) == "__" &&
        reserved().contains(name.substr(2, name.size() - 4))) {
        return std::string(name.substr(2, name.size() - 4));
    }
    std::string out;
    for (std::size_t i = 0; i < name.size();) {
        bool escaped = false;
        for (const auto& [plain, word] : escapes) {
            if (name.substr(i, word.size()) != word) continue;
            out += plain;
            i += word.size();
            escaped = true;
            break;
        }
        if (!escaped) out += name[i++];
    }
    return out;
}

}  // namespace kubemu::api::cel
