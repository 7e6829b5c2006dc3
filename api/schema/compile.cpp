// Host tool: compiles api/schema/*.yaml into constant tables, so that nothing is parsed when kubemu starts.
//
//     compile_schema <output folder> <yaml files...>
//
// writes schema_tables.cpp (types, kinds), kind_rules_table.cpp (KindRules by the name in `rules:`) and
// cell_table.cpp (functions of printer columns), so that a name without a definition is a link error.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace {

struct File {
    std::string path;
    YAML::Node root;
    std::string prefix;  // "core/v1"
    std::string group, version;
};

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        out += c;
    }
    return out + "\"";
}

std::string text_of(const YAML::Node& node, const char* key) {
    return node[key] ? node[key].as<std::string>() : "";
}
bool flag(const YAML::Node& node, const char* key, bool otherwise = false) {
    return node[key] ? node[key].as<bool>() : otherwise;
}

// A YAML value as JSON text. Quoted scalars are strings; plain ones follow their form.
std::string json_text(const YAML::Node& node) {
    if (node.IsMap()) {
        std::string out = "{";
        for (const auto& entry : node) {
            if (out.size() > 1) out += ',';
            out += quoted(entry.first.as<std::string>()) + ":" + json_text(entry.second);
        }
        return out + "}";
    }
    if (node.IsSequence()) {
        std::string out = "[";
        for (const auto& item : node) out += (out.size() > 1 ? "," : "") + json_text(item);
        return out + "]";
    }
    const auto text = node.as<std::string>();
    if (node.Tag() == "!") return quoted(text);
    if (text == "true" || text == "false") return text;
    if (!text.empty() && text.find_first_not_of("0123456789-") == std::string::npos && text != "-")
        return text;
    return quoted(text);
}

// The tables are written as they are met; spans refer to arrays by name.
class Writer {
  public:
    std::string strings(const YAML::Node& list) {
        if (!list || list.size() == 0) return "{}";
        std::string body;
        for (const auto& item : list) body += quoted(item.as<std::string>()) + ",";
        auto [found, fresh] = arrays_.emplace(body, "s" + std::to_string(arrays_.size()));
        if (fresh) out << "static constexpr std::string_view " << found->second << "[] = {" << body << "};\n";
        return found->second;
    }
    std::ostringstream out;

  private:
    std::map<std::string, std::string> arrays_;
};

const std::map<std::string, std::string> scalar_kinds = {{"string", "string"},
                                                         {"bool", "boolean"},
                                                         {"int32", "int32"},
                                                         {"int64", "int64"},
                                                         {"float64", "float64"},
                                                         {"bytes", "bytes"},
                                                         {"time", "time"},
                                                         {"micro-time", "micro_time"},
                                                         {"duration", "duration"},
                                                         {"quantity", "quantity"},
                                                         {"int-or-string", "int_or_string"},
                                                         {"raw", "raw"},
                                                         {"fields-v1", "fields_v1"}};

const std::map<std::string, std::string> wire_forms = {{"v1.Verbs", "list_message"},
                                                       {"v1.JSONSchemaPropsOrArray", "schema_or_list"},
                                                       {"v1.JSONSchemaPropsOrBool", "schema_or_bool"},
                                                       {"v1.JSONSchemaDependencies", "schema_or_names"}};

const std::map<std::string, std::string> verb_names = {
    {"get", "get"},       {"list", "list"},   {"watch", "watch"}, {"create", "create"},
    {"update", "update"}, {"patch", "patch"}, {"delete", "del"},  {"deletecollection", "delete_collection"}};

std::string verbs_of(const YAML::Node& list) {
    std::string out = "0";
    for (const auto& verb : list) {
        const auto found = verb_names.find(verb.as<std::string>());
        if (found == verb_names.end()) throw std::runtime_error("unknown verb " + verb.as<std::string>());
        out += "|v(Verb::" + found->second + ")";
    }
    return out;
}

class Compiler {
  public:
    explicit Compiler(std::vector<File> files) : files_(std::move(files)) {
        for (const File& file : files_) {
            for (const auto& entry : file.root["types"]) {
                const std::string name = file.prefix + "." + entry.first.as<std::string>();
                if (!ids_.emplace(name, ids_.size()).second) throw std::runtime_error("type twice: " + name);
            }
        }
        // A type has defaults when one of its fields has, or a type that it holds; so the walk can stay out
        // of the rest.
        for (bool grew = true; grew;) {
            grew = false;
            for (const File& file : files_) {
                for (const auto& entry : file.root["types"]) {
                    const std::string name = file.prefix + "." + entry.first.as<std::string>();
                    if (with_defaults_.contains(name)) continue;
                    for (const auto& field : entry.second["fields"]) {
                        const auto spelling = field["type"].as<std::string>();
                        if (field["default"] ||
                            with_defaults_.contains(spelling.substr(spelling.rfind(']') + 1))) {
                            grew = with_defaults_.insert(name).second;
                            break;
                        }
                    }
                }
            }
        }
    }

    std::string tables() {
        w_.out << "// Made by compile_schema from api/schema/*.yaml.\n#include \"api/schema/go_structs.h\"\n"
                  "#include \"api/schema/kind.h\"\n\nnamespace kubemu::api {\nnamespace {\nconstexpr std::uint16_t v(Verb verb) { return "
                  "static_cast<std::uint16_t>(verb); }\n";
        w_.out << "extern const TypeInfo types[" << ids_.size() << "];\n";
        std::vector<std::string> rows;
        for (const File& file : files_) {
            for (const auto& entry : file.root["types"]) {
                rows.push_back(type_row(file, entry.first.as<std::string>(), entry.second));
            }
        }
        w_.out << "constinit const TypeInfo types[" << ids_.size() << "] = {\n";
        for (const std::string& row : rows) w_.out << row;
        w_.out << "};\nconstinit const TypeInfo* const type_list[] = {\n";
        for (std::size_t i = 0; i < ids_.size(); ++i) w_.out << "&types[" << i << "],";
        w_.out << "};\n";
        kind_rows();
        w_.out << "}  // namespace\n\nstd::span<const TypeInfo* const> all_types() { return type_list; }\n"
                  "std::span<const KindSpec> builtin_kinds() { return kinds; }\n"
                  "std::span<const GroupVersionSpec> builtin_group_versions() { return group_versions; }\n"
                  "std::string_view go_structs() { return " << quoted(go_structs()) << "; }\n"
                  "}  // namespace kubemu::api\n";
        return w_.out.str();
    }

    std::string rules_table() const {
        std::ostringstream out;
        out << "// Made by compile_schema from api/schema/*.yaml.\n#include "
               "\"api/kinds/rules.h\"\n\nnamespace kubemu::api {\n"
               "namespace kinds {\n";
        out << "extern const KindRules custom_resource_rules;\n";
        for (const std::string& name : rules_) out << "extern const KindRules " << name << "_rules;\n";
        out << "}\n\nconst KindRules* rules_of(const KindSpec& kind) {\n    static const KindRules none;\n"
               "    if (kind.custom != nullptr) return &kinds::custom_resource_rules;\n";
        for (const std::string& name : rules_) {
            out << "    if (kind.rules == " << quoted(name) << ") return &kinds::" << name << "_rules;\n";
        }
        out << "    return &none;\n}\n}  // namespace kubemu::api\n";
        return out.str();
    }

    std::string cell_table() const {
        std::ostringstream out;
        out << "// Made by compile_schema from api/schema/*.yaml.\n#include "
               "\"api/documents/cells.h\"\n\nnamespace kubemu::api {\n"
               "namespace cells {\n";
        for (const std::string& name : cells_)
            out << "Json " << name << "(const Json&, const CellContext&);\n";
        out << "}\n\nCellFunction cell_function(std::string_view name) {\n";
        for (const std::string& name : cells_)
            out << "    if (name == " << quoted(name) << ") return cells::" << name << ";\n";
        out << "    return nullptr;\n}\n}  // namespace kubemu::api\n";
        return out.str();
    }

  private:
    std::string type_reference(const std::string& name, const std::string& where) const {
        const auto found = ids_.find(name);
        if (found == ids_.end()) throw std::runtime_error(where + ": unknown type " + name);
        return "&types[" + std::to_string(found->second) + "]";
    }

    std::string field_row(const std::string& where, const YAML::Node& field) {
        std::string spelling = field["type"].as<std::string>();
        std::string shape = "single";
        if (spelling.rfind("map[][]", 0) == 0) {
            shape = "map_of_lists";
            spelling = spelling.substr(7);
        } else if (spelling.rfind("map[]", 0) == 0) {
            shape = "map";
            spelling = spelling.substr(5);
        } else if (spelling.rfind("[]", 0) == 0) {
            shape = "list";
            spelling = spelling.substr(2);
        }
        const auto scalar = scalar_kinds.find(spelling);
        std::ostringstream row;
        row << "{.name=" << quoted(field["name"].as<std::string>());
        if (field["pbName"]) row << ",.pb_name=" << quoted(text_of(field, "pbName"));
        if (field["go"]) row << ",.go_type=" << quoted(text_of(field, "go"));
        row << ",.kind=ValueKind::" << (scalar != scalar_kinds.end() ? scalar->second : "object");
        if (shape != "single") row << ",.shape=Shape::" << shape;
        if (field["listType"]) row << ",.list_type=ListType::" << text_of(field, "listType");
        if (field["patchStrategy"]) {
            std::string strategy = text_of(field, "patchStrategy");
            if (strategy == "retainKeys") strategy = "retain_keys";
            if (strategy == "merge,retainKeys") strategy = "merge_retain_keys";
            row << ",.patch_strategy=PatchStrategy::" << strategy;
        }
        if (scalar == scalar_kinds.end()) row << ",.type=" << type_reference(spelling, where);
        if (const auto form = wire_forms.find(text_of(field, "go")); form != wire_forms.end()) {
            row << ",.wire_form=WireForm::" << form->second;
        }
        if (!flag(field, "omitempty", true)) row << ",.omitempty=false";
        if (flag(field, "pointer")) row << ",.pointer=true";
        if (flag(field, "required")) row << ",.required=true";
        if (flag(field, "atomic")) row << ",.map_atomic=true";
        if (flag(field, "granular")) row << ",.map_granular=true";
        if (flag(field, "immutable")) row << ",.immutable=true";
        if (field["mergeKey"]) row << ",.patch_merge_key=" << quoted(text_of(field, "mergeKey"));
        if (field["listKeys"]) row << ",.list_map_keys=" << w_.strings(field["listKeys"]);
        if (field["default"]) row << ",.default_json=" << quoted(json_text(field["default"]));
        if (field["documented"]) row << ",.documented_default=" << quoted(json_text(field["documented"]));
        if (field["enum"]) row << ",.enum_values=" << w_.strings(field["enum"]);
        row << ",.description=" << quoted(text_of(field, "description")) << "},\n";
        return row.str();
    }

    YAML::Node fields_of(const std::string& type) const {
        for (const File& file : files_) {
            if (type.rfind(file.prefix + ".", 0) == 0) return file.root["types"][type.substr(file.prefix.size() + 1)]["fields"];
        }
        return {};
    }

    static std::string go_name(const YAML::Node& field) {
        if (field["goName"]) return text_of(field, "goName");
        std::string name = text_of(field, "name");
        if (name == "metadata") return text_of(field, "type").substr(text_of(field, "type").find('.') + 1);
        name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
        return name;
    }

    // The types that are hashed and all that they hold, in the form that api/schema/go_structs.h describes.
    static constexpr const char* hashed_types[] = {"core/v1.PodTemplateSpec", "core/v1.EndpointSubset"};

    std::string go_structs() const {
        std::vector<std::string> open(std::begin(hashed_types), std::end(hashed_types));
        std::set<std::string> known(open.begin(), open.end());
        std::string out = "\n";
        while (!open.empty()) {
            const std::string type = open.back();
            open.pop_back();
            out += type;
            std::string parent;
            for (const auto& field : fields_of(type)) {
                if (text_of(field, "parent").find('.') != std::string::npos) throw std::runtime_error(type + ": embedded twice");
                if (const std::string inside = text_of(field, "parentType"); inside != parent) {
                    if (!parent.empty()) out += " }";
                    if (!inside.empty()) out += " " + inside.substr(inside.find('/') + 1) + "{";
                    parent = inside;
                }
                out += " " + go_name(field);
                const std::string spelling = text_of(field, "type"), held = spelling.substr(spelling.rfind(']') + 1);
                if (scalar_kinds.find(held) == scalar_kinds.end() && known.insert(held).second) open.push_back(held);
                for (const char* undumped : {"float64", "bytes", "micro-time", "duration", "raw"}) {
                    if (held == undumped) throw std::runtime_error(type + ": what is hashed cannot hold " + held);
                }
            }
            out += parent.empty() ? "\n" : " }\n";
        }
        return out;
    }

    // A message of the wire: fields by number, those of embedded structs in messages of their own.
    struct Message {
        std::map<int, std::size_t> fields;  // index into the type's fields
        std::map<int, Message> embedded;
    };

    // `pb: 3` is field 3 of the type's message; with `parent: 2.1` it is in message 1 of message 2 of it.
    static void place_on_wire(Message& message, const YAML::Node& field, std::size_t index, const std::string& where) {
        if (!field["pb"]) throw std::runtime_error(where + ": no pb number");
        const int number = field["pb"].as<int>();
        if (number == 0) return;  // not on the wire
        Message* holder = &message;
        std::istringstream path(text_of(field, "parent"));
        for (std::string step; std::getline(path, step, '.');) holder = &holder->embedded[std::stoi(step)];
        if (!holder->fields.emplace(number, index).second) throw std::runtime_error(where + ": pb number twice");
    }

    // Writes the tables of a message; returns the name of its own.
    std::string wire_table(const Message& message, const std::string& where) {
        std::map<int, std::string> rows;
        for (const auto& [number, index] : message.fields) {
            rows[number] = "{" + std::to_string(number) + "," + std::to_string(index) + "},";
        }
        for (const auto& [number, inner] : message.embedded) {
            const std::string row = "{" + std::to_string(number) + ",0," + wire_table(inner, where) + "},";
            if (!rows.emplace(number, row).second)
                throw std::runtime_error(where + ": pb number of a struct and a field");
        }
        if (rows.empty()) return "{}";
        const std::string name = "w" + std::to_string(counter_++);
        w_.out << "constexpr WireField " << name << "[] = {";
        for (const auto& [number, row] : rows) w_.out << row;
        w_.out << "};\n";
        return name;
    }

    std::string type_row(const File& file, const std::string& name, const YAML::Node& type) {
        const std::string full = file.prefix + "." + name;
        const std::size_t id = ids_.at(full);
        std::vector<std::string> names, rows;
        if (flag(type, "typeMeta")) {
            for (const auto& [member, text] :
                 {std::pair{"kind", "Type of the object."},
                  std::pair{"apiVersion", "Group and version of the object's schema."}}) {
                names.push_back(member);
                rows.push_back("{.name=" + quoted(member) + ",.description=" + quoted(text) + "},\n");
            }
        }
        Message message;
        for (const auto& field : type["fields"]) {
            names.push_back(field["name"].as<std::string>());
            place_on_wire(message, field, rows.size(), full + "." + names.back());
            rows.push_back(field_row(full + "." + names.back(), field));
        }
        const std::string wire = wire_table(message, full);
        std::vector<std::size_t> order(names.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::sort(order.begin(), order.end(),
                  [&](std::size_t a, std::size_t b) { return names[a] < names[b]; });
        for (std::size_t i = 1; i < order.size(); ++i) {
            if (names[order[i]] == names[order[i - 1]])
                throw std::runtime_error(full + ": field twice: " + names[order[i]]);
        }
        std::ostringstream row;
        row << "{.name=" << quoted(full)
            << ",.openapi_name=" << quoted(text_of(file.root, "openapi") + "." + name)
            << ",.description=" << quoted(text_of(type, "description"));
        if (!rows.empty()) {
            w_.out << "constinit const FieldInfo f" << id << "[] = {\n";
            for (const std::string& text : rows) w_.out << text;
            w_.out << "};\nconstexpr std::uint16_t o" << id << "[] = {";
            for (const std::size_t i : order) w_.out << i << ",";
            w_.out << "};\n";
            row << ",.fields=f" << id << ",.fields_by_name=o" << id << ",.wire=" << wire;
        }
        if (flag(type, "atomic")) row << ",.atomic=true";
        if (flag(type, "typeMeta")) row << ",.has_type_meta=true";
        if (with_defaults_.contains(full)) row << ",.has_defaults=true";
        if (type["union"]) row << ",.is_union=true,.union_discriminator=" << quoted(text_of(type, "union"));
        row << "},\n";
        return row.str();
    }

    std::string subresources(const YAML::Node& list, const File& file, const std::string& parent) {
        if (!list || list.size() == 0) return "{}";
        const std::string name = "sub" + std::to_string(counter_++);
        w_.out << "constinit const SubresourceSpec " << name << "[] = {\n";
        for (const YAML::Node& sub : sorted(list, "name")) {
            std::string group = file.prefix.substr(0, file.prefix.find('/')), version = file.version;
            if (sub["version"]) {  // "authentication.k8s.io" is in authentication_v1.yaml
                group = text_of(sub, "group").substr(0, text_of(sub, "group").find('.'));
                version = text_of(sub, "version");
            }
            const std::string type = group + "/" + version + "." + text_of(sub, "kind");
            w_.out << "{.name=" << quoted(text_of(sub, "name")) << ",.kind=" << quoted(text_of(sub, "kind"))
                   << ",.group=" << quoted(text_of(sub, "group"))
                   << ",.version=" << quoted(text_of(sub, "version")) << ",.verbs=" << verbs_of(sub["verbs"])
                   << ",.type=" << type_reference(type, parent) << "},\n";
        }
        w_.out << "};\n";
        return name;
    }

    // Discovery lists by path, so in alphabetical order.
    static std::vector<YAML::Node> sorted(const YAML::Node& list, const char* key) {
        std::multimap<std::string, YAML::Node> by_key;
        for (const auto& item : list) by_key.emplace(text_of(item, key), item);
        std::vector<YAML::Node> out;
        for (const auto& [text, item] : by_key) out.push_back(item);
        return out;
    }

    // "label", "label=fallback", "label:path", "label:path=fallback"; a path may have a second choice, "a.b|c". In a version
    // that is not stored, the path is the label that the stored one has for it.
    std::string selectable(const YAML::Node& list) {
        if (!list || list.size() == 0) return "{}";
        const std::string name = "sel" + std::to_string(counter_++);
        w_.out << "constinit const SelectableField " << name << "[] = {\n";
        for (const auto& item : list) {
            std::string text = item.as<std::string>(), fallback;
            if (const auto equals = text.find('='); equals != std::string::npos) {
                fallback = text.substr(equals + 1);
                text.resize(equals);
            }
            const auto colon = text.find(':');
            const std::string label = text.substr(0, colon);
            const std::string path = colon == std::string::npos ? label : text.substr(colon + 1);
            w_.out << "{" << quoted(label) << "," << quoted(path) << "," << quoted(fallback) << "},\n";
        }
        w_.out << "};\n";
        return name;
    }

    // What is printed does not depend on the version: a kind without columns has those of its stored version.
    YAML::Node columns_of(const YAML::Node& kind) const {
        if (kind["columns"] || flag(kind, "storageVersion", true)) return kind["columns"];
        for (const File& file : files_) {
            for (const auto& other : file.root["kinds"]) {
                const bool stored = flag(other, "storageVersion", true);
                if (stored && text_of(other, "resource") == text_of(kind, "resource")) return other["columns"];
            }
        }
        return {};
    }

    std::string columns(const YAML::Node& list) {
        if (!list || list.size() == 0) return "{}";
        const std::string name = "col" + std::to_string(counter_++);
        w_.out << "constinit const ColumnSpec " << name << "[] = {\n";
        for (const auto& column : list) {
            const std::string cell = text_of(column, "cell");
            if (cell.at(0) != '.') cells_.insert(cell);
            w_.out << "{" << quoted(text_of(column, "name")) << "," << quoted(text_of(column, "type")) << ","
                   << quoted(text_of(column, "format")) << "," << quoted(text_of(column, "description"))
                   << "," << (column["priority"] ? column["priority"].as<int>() : 0) << "," << quoted(cell)
                   << "},\n";
        }
        w_.out << "};\n";
        return name;
    }

    void kind_rows() {
        std::ostringstream rows, versions;
        std::set<std::string> groups;
        for (const File& file : files_) {
            if (!file.root["kinds"]) continue;
            versions << "{" << quoted(file.group) << "," << quoted(file.version) << ","
                     << (groups.insert(file.group).second ? "true" : "false") << ","
                     << file.root["priority"].as<int>() << "," << file.root["versionPriority"].as<int>() << "},\n";
            for (const YAML::Node& kind : sorted(file.root["kinds"], "plural")) {
                const std::string name = text_of(kind, "kind");
                const std::string rules = text_of(kind, "rules");
                if (!rules.empty()) rules_.insert(rules);
                rows << "{.group=" << quoted(file.group) << ",.version=" << quoted(file.version)
                     << ",.kind=" << quoted(name) << ",.list_kind=" << quoted(name + "List")
                     << ",.plural=" << quoted(text_of(kind, "plural"))
                     << ",.singular=" << quoted(text_of(kind, "singular"))
                     << ",.short_names=" << w_.strings(kind["shortNames"])
                     << ",.categories=" << w_.strings(kind["categories"])
                     << ",.namespaced=" << (flag(kind, "namespaced", true) ? "true" : "false")
                     << ",.verbs=" << verbs_of(kind["verbs"])
                     << ",.subresources=" << subresources(kind["subresources"], file, name)
                     << ",.type=" << type_reference(text_of(kind, "type"), name)
                     << ",.resource=" << quoted(text_of(kind, "resource"))
                     << ",.storage_version=" << (flag(kind, "storageVersion", true) ? "true" : "false");
                if (kind["deprecationWarning"]) {
                    rows << ",.deprecated=true,.deprecation_warning="
                         << quoted(text_of(kind, "deprecationWarning"));
                }
                if (kind["deprecated"]) rows << ",.deprecated_in=" << quoted(text_of(kind, "deprecated"));
                rows << ",.introduced=" << quoted(text_of(kind, "introduced"))
                     << ",.removed=" << quoted(text_of(kind, "removed"))
                     << ",.selectable_fields=" << selectable(kind["selectableFields"])
                     << ",.columns=" << columns(columns_of(kind));
                for (const auto& [key, member] : {std::pair{"gracefulDeletion", "graceful_deletion"},
                                                  std::pair{"deleteReturnsObject", "delete_returns_object"},
                                                  std::pair{"createOnUpdate", "allow_create_on_update"}}) {
                    if (flag(kind, key)) rows << ",." << member << "=true";
                }
                if (!flag(kind, "unconditionalUpdate", true)) rows << ",.allow_unconditional_update=false";
                if (flag(kind, "generation")) rows << ",.has_generation=true";
                rows << ",.rules=" << quoted(rules) << "},\n";
            }
        }
        w_.out << "constinit const KindSpec kinds[] = {\n" << rows.str() << "};\n";
        w_.out << "constinit const GroupVersionSpec group_versions[] = {\n" << versions.str() << "};\n";
    }

    std::vector<File> files_;
    std::map<std::string, std::size_t> ids_;
    std::set<std::string> with_defaults_;  // full names of types
    std::set<std::string> rules_, cells_;
    Writer w_;
    int counter_ = 0;
};

// The order in which /apis lists groups, and each group its versions: kube-apiserver's priorities, highest
// first.
struct Place {
    int group_priority;
    std::string group;
    int version_priority;
    std::string prefix;
    bool operator<(const Place& other) const {
        return std::tuple(-group_priority, group, -version_priority, prefix) <
               std::tuple(-other.group_priority, other.group, -other.version_priority, other.prefix);
    }
};

void write(const std::string& path, const std::string& text) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << text;
    if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        std::map<Place, File>
            ordered;  // assigning a YAML::Node would overwrite what it refers to, so nothing is sorted
        for (int i = 2; i < argc; ++i) {
            File file;
            file.path = argv[i];
            file.root = YAML::LoadFile(file.path);
            std::string base = file.path.substr(file.path.rfind('/') + 1);
            base.resize(base.rfind('.'));
            file.prefix = base.replace(base.rfind('_'), 1, "/");
            for (const char* key : {"group", "version", "openapi", "priority", "versionPriority", "types"}) {
                if (!file.root[key]) throw std::runtime_error(file.path + ": no " + key);
            }
            file.group = text_of(file.root, "group");
            file.version = text_of(file.root, "version");
            const Place place{file.root["priority"].as<int>(), file.group,
                              file.root["versionPriority"].as<int>(), file.prefix};
            ordered.emplace(place, std::move(file));
        }
        std::vector<File> files;
        for (auto& [place, file] : ordered) files.push_back(std::move(file));
        Compiler compiler(std::move(files));
        const std::string folder = std::string(argv[1]) + "/";
        write(folder + "schema_tables.cpp", compiler.tables());
        write(folder + "kind_rules_table.cpp", compiler.rules_table());
        write(folder + "cell_table.cpp", compiler.cell_table());
    } catch (const std::exception& error) {
        std::cerr << "compile_schema: " << error.what() << "\n";
        return 1;
    }
    return 0;
}
