// The validators of kube-openapi, one after the other for each value: type, logical junctors, string, format, number,
// list, enum, object.
#include "api/schema/validate_schema.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "api/values/formats.h"
#include "api/values/go_print.h"
#include "api/values/text.h"

namespace kubemu::api::structural {
namespace {

struct Complaint {
    enum class Code { plain, type, required, too_long, enumeration, too_many_items, too_many_properties, other };
    Code code = Code::plain;
    std::string path;     // empty for `plain`, which has no place
    std::string message;  // as kube-openapi words it
    Json value;
    const Schema* schema = nullptr;  // whose enum it is
    std::int64_t limit = 0;
};

struct Outcome {
    std::vector<Complaint> complaints;
    int matches = 0;  // how much went well, by which the nearest alternative is chosen

    bool valid() const { return complaints.empty(); }
    void add(Complaint complaint) {
        const auto same = [&](const Complaint& known) { return known.message == complaint.message; };
        if (std::none_of(complaints.begin(), complaints.end(), same)) complaints.push_back(std::move(complaint));
    }
    void merge(Outcome other) {
        for (Complaint& complaint : other.complaints) add(std::move(complaint));
        matches += other.matches;
    }
};

// swag.IsFloat64AJSONInteger
bool is_json_integer(double number) {
    constexpr double largest = 9007199254740991.0, epsilon = 1e-9;
    if (std::isnan(number) || std::isinf(number) || number < -largest || number > largest) return false;
    const double whole = std::trunc(number);
    if (whole == number) return true;
    const double sum = std::abs(number) + std::abs(whole);
    return std::abs(number - whole) / std::min(sum, std::numeric_limits<double>::max()) < epsilon;
}

std::size_t runes(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string_view type_of(const Json& value) {
    if (value.is_boolean()) return "boolean";
    if (value.is_string()) return "string";
    if (value.is_number_integer()) return "integer";
    if (value.is_number()) return "number";
    return value.is_array() ? "array" : "object";
}

class Validator {
  public:
    Outcome run(const Json& value, const Schema& schema, const Json* old) {
        Outcome outcome;
        if (value.is_null()) {
            type(value, schema, outcome);
            enumeration(value, schema, outcome);
            return outcome;
        }
        const auto step = [&](auto validator) {
            (this->*validator)(value, schema, outcome);
            ++outcome.matches;
        };
        if (!schema.type.empty() || schema.int_or_string || format_of(schema) != nullptr) step(&Validator::type);
        junctors(value, schema, old, outcome);
        ++outcome.matches;
        if (value.is_string()) step(&Validator::string);
        if (value.is_string() && format_of(schema) != nullptr) step(&Validator::format);
        if (value.is_number()) step(&Validator::number);
        if (value.is_array()) {
            list(value, schema, old, outcome);
            ++outcome.matches;
        }
        step(&Validator::enumeration);
        if (value.is_object()) {
            object(value, schema, old, outcome);
            ++outcome.matches;
        }
        ++outcome.matches;
        if (!outcome.valid() && old != nullptr && *old == value) outcome.complaints.clear();
        return outcome;
    }

  private:
    using Code = Complaint::Code;

    // The format that counts; null when there is none or the server does not know it.
    static const std::string* format_of(const Schema& schema) {
        if (schema.format.empty() || schema.int_or_string) return nullptr;
        return known_format(schema) ? &schema.format : nullptr;
    }

    std::string in_body() const { return path_ + " in body "; }

    void complain(Outcome& outcome, Code code, std::string message, Json value, std::string path) const {
        outcome.add({code, std::move(path), std::move(message), std::move(value), nullptr, 0});
    }
    void complain(Outcome& outcome, Code code, std::string message, Json value) const {
        complain(outcome, code, std::move(message), std::move(value), path_.empty() ? "." : path_);
    }
    void exceed(Outcome& outcome, Code code, const char* unit, std::int64_t limit, Json value) const {
        outcome.add({code, path_.empty() ? "." : path_, in_body() + "at most " + std::to_string(limit) + unit, std::move(value), nullptr,
                     limit});
    }
    void wrong_type(Outcome& outcome, std::string_view wanted, std::string_view found) const {
        complain(outcome, Code::type, in_body() + "must be of type " + std::string(wanted) + ": " + go_quote(found),
                 std::string(found));
    }

    void type(const Json& value, const Schema& schema, Outcome& outcome) {
        ++outcome.matches;
        const std::string wanted = schema.int_or_string ? "integer,string" : schema.type;
        if (value.is_null()) {
            if (!wanted.empty() && wanted != "null" && !schema.nullable) wrong_type(outcome, wanted, "null");
            return;
        }
        const std::string_view found = type_of(value);
        const auto wants = [&](std::string_view name) {
            return schema.int_or_string ? name == "integer" || name == "string" : schema.type == name;
        };
        const bool float_as_int = found == "number" && wants("integer") && is_json_integer(value.get<double>());
        const bool int_as_float = found == "integer" && wants("number");
        const std::string* format = format_of(schema);
        const bool textual = value.is_string() || value.is_array();
        if (format != nullptr && !textual && !(wants(found) || float_as_int || int_as_float)) {
            wrong_type(outcome, *format, found == "integer" ? "int64" : found == "number" ? "float64" : "");
            return;
        }
        if (format != nullptr && textual && !wants("number") && !wants("integer")) return;
        if (!(wants(found) || float_as_int || int_as_float)) wrong_type(outcome, wanted, found);
    }

    void string(const Json& value, const Schema& schema, Outcome& outcome) {
        const std::string& text = value.get_ref<const std::string&>();
        if (schema.max_length && static_cast<std::int64_t>(runes(text)) > *schema.max_length) {
            exceed(outcome, Code::too_long, " chars long", *schema.max_length, value);
        } else if (schema.min_length && static_cast<std::int64_t>(runes(text)) < *schema.min_length) {
            complain(outcome, Code::other, in_body() + "should be at least " + std::to_string(*schema.min_length) + " chars long",
                     value);
        } else if (schema.regex && !schema.regex->matches(text)) {
            complain(outcome, Code::other, in_body() + "should match '" + schema.pattern + "'", value);
        }
    }

    void format(const Json& value, const Schema& schema, Outcome& outcome) {
        const std::string& text = value.get_ref<const std::string&>();
        if (matches_format(schema.format, text)) return;
        complain(outcome, Code::type, in_body() + "must be of type " + schema.format + ": " + go_quote(text), value);
    }

    void number(const Json& value, const Schema& schema, Outcome& outcome) {
        ++outcome.matches;
        const std::string* format = format_of(schema);
        const bool whole = value.is_number_integer();
        const double number = value.get<double>();
        const auto out_of_range = [&](double checked, bool integer) {
            if (schema.type == "integer" && format != nullptr && *format == "int32") return checked < INT32_MIN || checked > INT32_MAX;
            if (schema.type == "integer") return !integer && !(checked >= -9223372036854775808.0 && checked < 9223372036854775808.0);
            return format != nullptr && *format == "float" && std::abs(checked) > std::numeric_limits<float>::max();
        };
        if (out_of_range(number, whole)) {
            const std::string of = format != nullptr ? " with format " + *format : " (default format)";
            complain(outcome, Code::plain, "Checked value must be of type " + schema.type + of + " in " + path_, "", {});
        }
        const auto shown = [whole](double bound) {
            return whole ? std::to_string(static_cast<std::int64_t>(bound)) : go_float(bound);
        };
        const auto bound = [whole](double limit) { return whole ? static_cast<double>(static_cast<std::int64_t>(limit)) : limit; };
        if (schema.multiple_of) multiple(value, *schema.multiple_of, outcome);
        if (schema.maximum) {
            const double limit = bound(*schema.maximum);
            if (schema.exclusive_maximum ? number >= limit : number > limit) {
                complain(outcome, Code::other,
                         in_body() + "should be less than " + (schema.exclusive_maximum ? "" : "or equal to ") + shown(limit), value);
            }
        }
        if (schema.minimum) {
            const double limit = bound(*schema.minimum);
            if (schema.exclusive_minimum ? number <= limit : number < limit) {
                complain(outcome, Code::other,
                         in_body() + "should be greater than " + (schema.exclusive_minimum ? "" : "or equal to ") + shown(limit),
                         value);
            }
        }
    }

    void multiple(const Json& value, double factor, Outcome& outcome) {
        bool fits = false;
        std::string shown = go_float(factor);
        if (value.is_number_integer()) {
            const auto whole = static_cast<std::int64_t>(factor);
            shown = std::to_string(whole);
            if (whole > 0) fits = value.get<std::int64_t>() % whole == 0;
            factor = static_cast<double>(whole);
        } else if (factor > 0) {
            const double number = value.get<double>();
            fits = is_json_integer(factor < 1 ? 1 / factor * number : number / factor);
        }
        if (factor <= 0) {
            complain(outcome, Code::other, "factor MultipleOf declared for " + path_ + " must be positive: " + shown, factor);
        } else if (!fits) {
            complain(outcome, Code::other, in_body() + "should be a multiple of " + shown, value);
        }
    }

    void enumeration(const Json& value, const Schema& schema, Outcome& outcome) {
        if (schema.enum_values.empty()) return;
        for (const Json& allowed : schema.enum_values) {
            if (!value.is_null() && allowed == value) return;
        }
        std::string allowed;
        for (const Json& one : schema.enum_values) allowed += (allowed.empty() ? "" : " ") + one.dump();
        outcome.add({Code::enumeration, path_.empty() ? "." : path_, in_body() + "should be one of [" + allowed + "]", value, &schema, 0});
    }

    void list(const Json& value, const Schema& schema, const Json* old, Outcome& outcome) {
        if (schema.items) {
            for (std::size_t i = 0; i < value.size(); ++i) {
                const std::size_t before = path_.size();
                path_ += "[" + std::to_string(i) + "]";
                outcome.merge(run(value[i], *schema.items, correlated_item(schema, value[i], old)));
                path_.resize(before);
            }
        }
        const auto size = static_cast<std::int64_t>(value.size());
        if (schema.min_items && size < *schema.min_items) {
            complain(outcome, Code::other, in_body() + "should have at least " + std::to_string(*schema.min_items) + " items", size);
        }
        if (schema.max_items && size > *schema.max_items) {
            exceed(outcome, Code::too_many_items, " items", *schema.max_items, size);
        }
        if (schema.unique_items) {
            for (std::size_t i = 1; i < value.size(); ++i) {
                if (std::find(value.begin(), value.begin() + static_cast<std::ptrdiff_t>(i), value[i]) ==
                    value.begin() + static_cast<std::ptrdiff_t>(i)) {
                    continue;
                }
                complain(outcome, Code::other, in_body() + "shouldn't contain duplicates", "");
                break;
            }
        }
        ++outcome.matches;
    }

    void object(const Json& value, const Schema& schema, const Json* old, Outcome& outcome) {
        const auto size = static_cast<std::int64_t>(value.size());
        if (schema.min_properties && size < *schema.min_properties) {
            complain(outcome, Code::other,
                     in_body() + "should have at least " + std::to_string(*schema.min_properties) + " properties", size);
        }
        if (schema.max_properties && size > *schema.max_properties) {
            exceed(outcome, Code::too_many_properties, " properties", *schema.max_properties, size);
        }
        for (const auto& [name, member] : value.items()) {
            const Schema* own = schema.property(name);
            if (own == nullptr) own = schema.additional_properties.get();
            if (own == nullptr) {
                if (schema.additional_allowed && !*schema.additional_allowed) {
                    complain(outcome, Code::other, path_ + "." + name + " in body is a forbidden property", name);
                }
                continue;
            }
            const std::size_t before = path_.size();
            if (!path_.empty() || schema.property(name) == nullptr) path_ += '.';
            path_ += name;
            outcome.merge(run(member, *own, correlated_member(schema, name, old)));
            path_.resize(before);
        }
        for (const std::string& name : schema.required) {
            if (value.contains(name)) continue;
            const std::string at = path_ + "." + name;
            complain(outcome, Code::required, at + " in body is required", "", at);
        }
    }

    void junctors(const Json& value, const Schema& schema, const Json* old, Outcome& outcome) {
        const auto plain = [&](const std::string& rest) {
            complain(outcome, Code::plain, go_quote(path_) + " " + rest, "", {});
        };
        if (!schema.any_of.empty()) {
            Outcome best;
            bool fits = false, first = true;
            for (const Schema& alternative : schema.any_of) {
                Outcome tried = run(value, alternative, old);
                fits = tried.valid();
                if (fits || first || tried.matches > best.matches) best = std::move(tried);
                first = false;
                if (fits) break;
            }
            if (!fits) plain("must validate at least one schema (anyOf)");
            outcome.merge(std::move(best));
        }
        if (!schema.one_of.empty()) one_of(value, schema, old, outcome);
        if (!schema.all_of.empty()) {
            std::size_t valid = 0;
            for (const Schema& part : schema.all_of) {
                Outcome tried = run(value, part, old);
                if (tried.valid()) ++valid;
                outcome.merge(std::move(tried));
            }
            if (valid != schema.all_of.size()) {
                plain("must validate all the schemas (allOf)" + std::string(valid == 0 ? ". None validated" : ""));
            }
        }
        if (schema.not_of && run(value, *schema.not_of, old).valid()) plain("must not validate the schema (not)");
        ++outcome.matches;
    }

    void one_of(const Json& value, const Schema& schema, const Json* old, Outcome& outcome) {
        std::optional<Outcome> best, success;
        int valid = 0;
        for (const Schema& alternative : schema.one_of) {
            Outcome tried = run(value, alternative, old);
            if (tried.valid()) {
                ++valid;
                best.reset();
                if (!success) success = std::move(tried);
            } else if (valid == 0 && (!best || tried.matches > best->matches)) {
                best = std::move(tried);
            }
        }
        if (valid == 1) return outcome.merge(std::move(*success));
        complain(outcome, Code::plain,
                 go_quote(path_) + " must validate one and only one schema (oneOf). " +
                     (valid == 0 ? "Found none valid" : "Found " + std::to_string(valid) + " valid alternatives"),
                 "", {});
        if (best) outcome.merge(std::move(*best));
    }

    std::string path_;
};

void report(const Complaint& complaint, const FieldPath& base, FieldErrors& errors) {
    using Code = Complaint::Code;
    if (complaint.code == Code::plain) {
        // Junctors have no field; Go prints the nil path.
        errors.invalid(base.text().empty() ? FieldPath("<nil>") : base, "", complaint.message);
        return;
    }
    std::string name = complaint.path;
    if (!name.empty() && name[0] == '.') name.erase(0, 1);
    FieldPath path = name.empty() ? base : base.child(name);
    if (path.text().empty()) path = FieldPath("<nil>");
    const auto size = [](const Json& value) { return static_cast<std::size_t>(value.get<std::int64_t>()); };
    switch (complaint.code) {
        case Code::required:
            return errors.required(path, "");
        case Code::too_long:
            return errors.too_long(path, static_cast<std::size_t>(complaint.limit));
        case Code::too_many_items:
        case Code::too_many_properties:
            return errors.too_many(path, size(complaint.value), static_cast<std::size_t>(complaint.limit));
        case Code::enumeration: {
            std::string text = "Unsupported value: " + go_bad_value(complaint.value) + ": supported values: ";
            bool first = true;
            for (const Json& allowed : complaint.schema->enum_values) {
                text += (first ? "" : ", ") + go_quote(allowed.is_string() ? allowed.get<std::string>() : allowed.dump());
                first = false;
            }
            return errors.add({"FieldValueNotSupported", path.text(), text});
        }
        case Code::type:
            return errors.type_invalid(path, complaint.value, complaint.message);
        default:
            return errors.invalid(path, GoText{go_bad_value(complaint.value)}, complaint.message);
    }
}

}  // namespace

void validate_value(const Json& value, const Schema& schema, const FieldPath& path, FieldErrors& errors, const Json* old) {
    const Outcome outcome = Validator().run(value, schema, old);
    for (const Complaint& complaint : outcome.complaints) report(complaint, path, errors);
}

const Json* correlated_member(const Schema& map, const std::string& name, const Json* old) {
    if (old == nullptr || !old->is_object() || map.map_type == "atomic") return nullptr;
    const auto at = old->find(name);
    return at == old->end() ? nullptr : &*at;
}

const Json* correlated_item(const Schema& list, const Json& item, const Json* old) {
    if (old == nullptr || !old->is_array() || list.list_type != "map" || !item.is_object()) return nullptr;
    for (const Json& candidate : *old) {
        if (!candidate.is_object()) continue;
        const bool same = std::all_of(list.list_map_keys.begin(), list.list_map_keys.end(), [&](const std::string& key) {
            const auto a = item.find(key), b = candidate.find(key);
            if (a == item.end() || b == candidate.end()) return a == item.end() && b == candidate.end();
            return *a == *b;
        });
        if (same) return &candidate;
    }
    return nullptr;
}

}  // namespace kubemu::api::structural
