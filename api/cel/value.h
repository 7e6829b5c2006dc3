// Value: what a CEL expression computes with. Parts of documents are seen through their schema, not copied.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/schema/structural.h"
#include "api/values/net.h"
#include "api/values/object.h"
#include "api/values/quantity.h"

namespace kubemu::api::cel {

enum class Kind : std::uint8_t {
    error,
    null,
    boolean,
    integer,
    unsigned_integer,
    real,
    string,
    bytes,
    list,
    map,
    object,  // of declared fields
    type,
    timestamp,
    duration,
    optional,
    ip,
    cidr,
    url,
    quantity,
    format,
    semver,
    authorization,  // the opaque types of api/cel/authorization.h
};

struct Semver {
    std::uint64_t major = 0, minor = 0, patch = 0;
    std::vector<std::string> prerelease;
};

class Value;

// Members that are computed when they are asked for.
class LazyMembers {
  public:
    virtual ~LazyMembers() = default;
    // Nothing when there is none of this name; an error value when it cannot be computed.
    virtual std::optional<Value> member(std::string_view name) const = 0;
};

class Value {
  public:
    using List = std::vector<Value>;
    using Entries = std::vector<std::pair<Value, Value>>;

    Kind kind = Kind::null;
    bool truth = false;
    std::int64_t integer = 0;            // integer; nanoseconds of durations; seconds of timestamps
    std::int64_t nanoseconds = 0;        // of timestamps
    std::uint64_t unsigned_integer = 0;
    double real = 0;
    std::shared_ptr<const std::string> text;  // string, bytes, messages of errors, names of types and formats
    std::shared_ptr<const List> items;        // list; the one item of an optional
    std::shared_ptr<const Entries> entries;   // map
    // A list, map or object within a document, and its schema (null below undeclared types).
    const Json* document = nullptr;
    const structural::Schema* schema = nullptr;
    bool resource = false;  // kind, apiVersion and metadata are declared whatever the schema says
    std::shared_ptr<const void> extension;  // NetipAddress, Cidr, Url, Quantity, Semver, Authorization
    const LazyMembers* lazy = nullptr;      // of an object that stands in no document; not owned

    static Value null() { return {}; }
    static Value of(bool value);
    static Value of(std::int64_t value);
    static Value of(std::uint64_t value);
    static Value of(double value);
    static Value of(std::string value);
    static Value of_bytes(std::string value);
    static Value of_type(std::string name);
    static Value of(List items);
    static Value of(Entries entries);
    static Value duration(std::int64_t nanoseconds);
    static Value timestamp(std::int64_t seconds, std::int64_t nanoseconds);
    static Value some(Value value);
    static Value none();
    static Value of(const LazyMembers& members);
    static Value error(std::string message);
    template <class T>
    static Value extended(Kind kind, T value, std::string text) {
        Value made;
        made.kind = kind;
        made.extension = std::make_shared<const T>(std::move(value));
        made.text = std::make_shared<const std::string>(std::move(text));
        return made;
    }
    // What stands in a document, as its schema says to read it.
    static Value from(const Json& document, const structural::Schema* schema, bool resource = false);

    bool is_error() const { return kind == Kind::error; }
    bool is(bool value) const { return kind == Kind::boolean && truth == value; }
    const std::string& str() const { return *text; }
    bool has_value() const { return items != nullptr && !items->empty(); }  // optionals
    template <class T>
    const T& as() const {
        return *static_cast<const T*>(extension.get());
    }

    std::size_t size() const;  // lists and maps: items; strings: code points; bytes: bytes; the rest 1
    Value at(std::size_t index) const;          // of a list
    // The member of a map or object; nothing when it has none.
    std::optional<Value> member(const Value& key) const;
    std::optional<Value> field(std::string_view name) const;  // `name` as expressions spell it
    std::vector<Value> keys() const;            // of a map
    List list() const;
    std::string type_name() const;              // "int", "list"...
};

bool equal(const Value& a, const Value& b);
// Below 0, 0 or above 0; nothing when they cannot be ordered.
std::optional<int> compare(const Value& a, const Value& b);

// Words that name nothing, so that the language may use them one day.
bool is_reserved(std::string_view name);

// A property name as expressions spell it: "a.b" is "a__dot__b", "for" is "__for__". Nothing when it cannot be spelled.
std::optional<std::string> escape_name(std::string_view name);
// The other way round.
std::string unescape_name(std::string_view name);

}  // namespace kubemu::api::cel
