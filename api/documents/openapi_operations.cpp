// Operations in the words of both versions: Swagger 2.0 puts bodies among the parameters and media types beside them,
// OpenAPI 3.0 makes a content of each. What all operations of a path take is said once for the path.
#include "api/documents/openapi_operations.h"

#include <algorithm>
#include <array>

namespace kubemu::api {
namespace {

// FNV-1, 64 bits.
std::uint64_t fnv(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : text) hash = (hash * 0x100000001b3U) ^ static_cast<unsigned char>(c);
    return hash;
}

// The first 48 bits in URL-safe base64.
std::string short_hash(std::string_view text) {
    constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const std::uint64_t hash = fnv(text);
    std::string out;
    for (int shift = 58; shift >= 16; shift -= 6) out += digits[(hash >> shift) & 63];
    return out;
}

void write_texts(JsonText& out, std::string_view name, std::span<const std::string_view> values) {
    out.key(name).open('[');
    for (const std::string_view value : values) out.text(value);
    out.close(']');
}

class Writer {
  public:
    Writer(JsonText& out, OpenApiVersion version, SharedParameters* shared)
        : out_(out), v2_(version == OpenApiVersion::v2), shared_(shared) {}

    void path(const std::vector<Route>& routes) {
        std::vector<Parameter> common;
        for (const Parameter& parameter : routes.front().parameters) {
            if (std::all_of(routes.begin(), routes.end(),
                            [&](const Route& route) { return has(route.parameters, parameter); })) {
                common.push_back(parameter);
            }
        }
        out_.open('{');
        for (const Route& route : routes) {
            out_.key(route.method);
            operation(route, common);
        }
        if (!common.empty()) {
            out_.key("parameters").open('[');
            for (const Parameter& parameter : common) this->parameter(parameter);
            out_.close(']');
        }
        out_.close('}');
    }

  private:
    static bool has(const std::vector<Parameter>& list, const Parameter& wanted) {
        return std::find(list.begin(), list.end(), wanted) != list.end();
    }

    void operation(const Route& route, const std::vector<Parameter>& common) {
        out_.open('{').key("tags").open('[').text(route.tag).close(']');
        if (!route.description.empty()) out_.member("description", route.description + ".");
        out_.member("operationId", route.operation_id);
        if (v2_) {
            if (!route.consumes.empty()) write_texts(out_, "consumes", route.consumes);
            if (!route.produces.empty()) write_texts(out_, "produces", route.produces);
            constexpr std::array<std::string_view, 1> schemes = {"https"};
            write_texts(out_, "schemes", schemes);
        }
        parameters(route, common);
        if (!v2_ && !route.body.empty()) {
            out_.key("requestBody").open('{');
            content(route.consumes, route.body);
            // DeleteOptions may be left out; nothing else may.
            if (!optional_body(route)) out_.key("required").raw("true");
            out_.close('}');
        }
        responses(route);
        if (!route.action.empty()) {
            out_.member("x-kubernetes-action", route.action).key("x-kubernetes-group-version-kind").open('{');
            out_.member("group", route.kind.group)
                .member("kind", route.kind.kind)
                .member("version", route.kind.version)
                .close('}');
        }
        out_.close('}');
    }

    static bool optional_body(const Route& route) { return route.method == "delete"; }

    void parameters(const Route& route, const std::vector<Parameter>& common) {
        std::vector<const Parameter*> own;
        for (const Parameter& parameter : route.parameters) {
            if (!has(common, parameter)) own.push_back(&parameter);
        }
        const bool body = v2_ && !route.body.empty();
        if (own.empty() && !body) return;
        out_.key("parameters").open('[');
        bool written = !body;
        for (const Parameter* parameter : own) {
            if (!written && parameter->name > "body") {
                body_parameter(route);
                written = true;
            }
            this->parameter(*parameter);
        }
        if (!written) body_parameter(route);
        out_.close(']');
    }

    void body_parameter(const Route& route) {
        JsonText text;
        text.open('{').member("name", "body").member("in", "body");
        if (!optional_body(route)) text.key("required").raw("true");
        text.key("schema")
            .open('{')
            .member("$ref", openapi_reference(OpenApiVersion::v2, route.body))
            .close('}')
            .close('}');
        const bool of_all_kinds = route.body.find("apimachinery") != std::string::npos;
        share("body", text.out(), of_all_kinds);
    }

    void parameter(const Parameter& parameter) {
        JsonText text;
        text.open('{').member("name", parameter.name).member("in", parameter.in_path ? "path" : "query");
        text.member("description", parameter.description);
        if (parameter.in_path) text.key("required").raw("true");
        if (!v2_) text.key("schema").open('{');
        text.member("type", parameter.type).key("uniqueItems").raw("true");
        if (!v2_) text.close('}');
        text.close('}');
        // kubectl up to 1.26 looks for these two in the operations themselves.
        share(parameter.name, text.out(),
              parameter.name != "name" && parameter.name != "fieldValidation" && parameter.name != "dryRun");
    }

    void share(std::string_view name, const std::string& json, bool may) {
        if (!v2_ || !may) out_.raw(json);
        else out_.open('{').member("$ref", "#/parameters/" + shared_->name_of(name, json)).close('}');
    }

    void content(std::span<const std::string_view> types, const std::string& schema) {
        out_.key("content").open('{');
        for (const std::string_view type : types) {
            out_.key(type).open('{');
            this->schema(schema);
            out_.close('}');
        }
        out_.close('}');
    }

    void schema(const std::string& name) {
        out_.key("schema").open('{');
        if (name.empty()) out_.member("type", "string");
        else out_.member("$ref", openapi_reference(v2_ ? OpenApiVersion::v2 : OpenApiVersion::v3, name));
        out_.close('}');
    }

    void responses(const Route& route) {
        out_.key("responses").open('{');
        if (route.has_answer) {
            response(route, "200", "OK");
            if ((route.created & 1) != 0) response(route, "201", "Created");
            if ((route.created & 2) != 0) response(route, "202", "Accepted");
        }
        out_.key("401").open('{').member("description", "Unauthorized").close('}').close('}');
    }

    void response(const Route& route, std::string_view code, std::string_view description) {
        out_.key(code).open('{').member("description", description);
        if (v2_) schema(route.answer);
        else content(route.produces, route.answer);
        out_.close('}');
    }

    JsonText& out_;
    bool v2_;
    SharedParameters* shared_;
};

}  // namespace

const std::string& SharedParameters::name_of(std::string_view parameter_name, const std::string& json) {
    auto [found, fresh] = names_.try_emplace(json);
    if (fresh) {
        found->second = std::string(parameter_name) + "-" + short_hash(json);
        by_name_.emplace(found->second, json);
    }
    return found->second;
}

void write_paths(JsonText& out, const Routes& routes, OpenApiVersion version, SharedParameters* shared) {
    Writer writer(out, version, shared);
    out.open('{');
    for (const auto& [path, of_path] : routes) {
        out.key(path);
        writer.path(of_path);
    }
    out.close('}');
}

}  // namespace kubemu::api
