// Differences of two objects, printed as Go values.
#include "api/kinds/core/pod_diff.h"

#include <nlohmann/json.hpp>

#include "api/schema/type.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

// "core/v1.PodSpec" is "core.PodSpec" inside the server.
std::string go_type(std::string_view type) {
    const std::size_t slash = type.find('/'), dot = type.find('.');
    if (slash == std::string_view::npos || dot == std::string_view::npos || dot < slash) return std::string(type);
    return std::string(type.substr(0, slash)) + std::string(type.substr(dot));
}

std::string go_name(std::string_view json) {
    for (const char* initials : {"os", "dns", "tty", "ip", "uid"}) {
        const std::string_view prefix(initials);
        if (!json.starts_with(prefix)) continue;
        if (json.size() > prefix.size() && json[prefix.size()] >= 'a' && json[prefix.size()] <= 'z') continue;
        std::string name;
        for (const char c : prefix) name += static_cast<char>(c - 'a' + 'A');
        return name + std::string(json.substr(prefix.size()));
    }
    std::string name(json);
    if (!name.empty() && name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 'a' + 'A');
    return name;
}

std::string list_type(const FieldInfo& field) {
    return "[]" + (field.type != nullptr ? go_type(field.type->name) : std::string("string"));
}

std::string one_line(const Json* value, const FieldInfo* field, const TypeInfo* type) {
    if (value == nullptr) {
        if (field == nullptr || field->pointer || field->shape != Shape::single) return "nil";
        return field->kind == ValueKind::string ? "\"\"" : field->kind == ValueKind::boolean ? "false" : "0";
    }
    if (value->is_string()) return go_quote(value->get_ref<const std::string&>());
    std::string text;
    if (value->is_array()) {
        text = field != nullptr ? list_type(*field) + "{" : "{";
        for (std::size_t i = 0; i < value->size(); ++i) text += (i > 0 ? ", " : "") + one_line(&(*value)[i], nullptr, type);
        return text + "}";
    }
    if (value->is_object()) {
        const bool map = type == nullptr || (field != nullptr && field->shape != Shape::single);
        text = field == nullptr ? "{" : map ? "map[string]string{" : (field->pointer ? "&" : "") + go_type(type->name) + "{";
        bool first = true;
        for (const auto& [name, member] : value->items()) {
            const FieldInfo* inner = map ? nullptr : type->field(name);
            text += (first ? "" : ", ") + (map ? go_quote(name) : go_name(name)) + ": " +
                    one_line(&member, inner, inner == nullptr ? nullptr : inner->type);
            first = false;
        }
        return text + "}";
    }
    return (field != nullptr && field->pointer ? "&" : "") + value->dump();
}

class Printer {
  public:
    void object(const std::string& head, const TypeInfo& type, const Json& before, const Json& after) {
        line(' ', head + "{");
        ++depth_;
        int alike = 0;
        for (const FieldInfo& field : type.fields) {
            const Json* was = find(before, field.name);
            const Json* is = find(after, field.name);
            if (was == is || (was != nullptr && is != nullptr && *was == *is)) {
                ++alike;
                continue;
            }
            identical(alike, "field");
            member(field, was, is);
        }
        identical(alike, "field");
        --depth_;
        line(' ', depth_ == 0 ? "}" : "},");
    }
    std::string text() && { return std::move(text_); }

  private:
    void line(char mark, const std::string& what) {
        text_ += mark;
        text_ += ' ';
        text_.append(static_cast<std::size_t>(depth_), '\t');
        text_ += what + "\n";
    }
    void identical(int& count, const char* what) {
        if (count > 0) line(' ', "... // " + std::to_string(count) + " identical " + what + (count > 1 ? "s" : ""));
        count = 0;
    }
    void member(const FieldInfo& field, const Json* was, const Json* is) {
        const std::string name = go_name(field.name);
        if (was != nullptr && is != nullptr && field.type != nullptr && was->is_object() && is->is_object()) {
            return object(name + ": " + (field.pointer ? "&" : "") + go_type(field.type->name), *field.type, *was, *is);
        }
        if (was != nullptr && is != nullptr && field.type != nullptr && was->is_array() && is->is_array()) {
            return list(field, name, *was, *is);
        }
        line('-', name + ": " + one_line(was, &field, field.type) + ",");
        line('+', name + ": " + one_line(is, &field, field.type) + ",");
    }
    void list(const FieldInfo& field, const std::string& name, const Json& was, const Json& is) {
        line(' ', name + ": " + list_type(field) + "{");
        ++depth_;
        int alike = 0;
        for (std::size_t i = 0; i < std::max(was.size(), is.size()); ++i) {
            if (i < was.size() && i < is.size()) {
                if (was[i] == is[i]) {
                    ++alike;
                    continue;
                }
                identical(alike, "element");
                object("", *field.type, was[i], is[i]);
            } else {
                identical(alike, "element");
                const bool gone = i < was.size();
                line(gone ? '-' : '+', one_line(gone ? &was[i] : &is[i], nullptr, field.type) + ",");
            }
        }
        identical(alike, "element");
        --depth_;
        line(' ', "},");
    }

    std::string text_;
    int depth_ = 0;
};

}  // namespace

std::string diff_of(std::string_view type, const Json& before, const Json& after) {
    const TypeInfo* info = find_type(type);
    if (info == nullptr) return {};
    Printer printer;
    printer.object(go_type(type), *info, before, after);
    return std::move(printer).text();
}

}  // namespace kubemu::api
