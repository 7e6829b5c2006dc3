// From paths to handlers: resources by the kind registry, everything else by a short list.
#include "api/handlers.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/aggregation.h"
#include "api/crd/custom_resource.h"
#include "api/documents/discovery.h"
#include "api/documents/openapi_service.h"
#include "api/encode_answer.h"
#include "api/exchange.h"
#include "api/forms.h"
#include "api/subresources/node_location.h"
#include "api/subresources/proxy.h"
#include "api/request_scope.h"
#include "api/routes.h"
#include "api/values/text.h"
#include "api/kwok_metrics.h"
#include "storage/base/log.h"
#include "storage/base/mutex.h"

namespace kubemu::api {
namespace {

constexpr std::string_view health_checks[] = {"ping", "log", "etcd", "poststarthook/start-apiextensions-controllers",
                                              "poststarthook/rbac/bootstrap-roles"};

Response text_response(int code, std::string text, std::string type = "text/plain; charset=utf-8") {
    Response response;
    response.code = code;
    response.content_type = std::move(type);
    response.body.push_back(Slice::of(std::move(text)));
    return response;
}

Response json_response(std::string json) { return text_response(200, std::move(json), "application/json"); }

// A document of meta/v1, in the encoding that was asked for.
Response document_response(const Request& request, std::string json, std::string_view type) {
    const auto form = negotiate(request, plain_endpoint);
    if (!form) return status_response(form.error(), request);
    Response response;
    set_body(response, *form, {Slice::of(std::move(json))}, find_type(type));
    return response;
}

// See OpenApiSource.
std::optional<const Json*> custom_schema(const KindSpec& kind) {
    if (kind.custom == nullptr) return std::nullopt;
    return kind.custom->document.get();
}

// 36 of "v1.36.0".
int minor_of(std::string_view version) {
    const auto parts = split(version, '.');
    int minor = 0;
    if (parts.size() > 1) std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), minor);
    return minor;
}

// What answers without being stored has no rows.
bool has_rows(const KindSpec& kind, std::string_view subresource) {
    for (const std::string_view answers : {"approval", "binding", "eviction", "token"}) {
        if (subresource == answers) return false;
    }
    return kind.can(Verb::get) || kind.can(Verb::list);
}

// Where others find the keys of service account tokens (k8s.io/kubernetes/pkg/serviceaccount/openidmetadata.go).
std::string openid_configuration() {
    return "{\"issuer\":\"" + std::string(ServiceAccountTokens::issuer) + "\",\"jwks_uri\":\"" +
           std::string(ServiceAccountTokens::issuer) +
           "/openid/v1/jwks\",\"response_types_supported\":[\"id_token\"],\"subject_types_supported\":[\"public\"],"
           "\"id_token_signing_alg_values_supported\":[\"RS256\"]}";
}

// /healthz, /livez and /readyz, ?verbose and single checks (/readyz/ping).
std::optional<Response> health(std::string_view path, const RequestInfo& info) {
    for (const std::string_view endpoint : {"/healthz", "/livez", "/readyz"}) {
        if (path.substr(0, endpoint.size()) != endpoint) continue;
        const std::string_view rest = path.substr(endpoint.size());
        if (!rest.empty() && rest[0] != '/') continue;
        if (!rest.empty()) {
            for (const std::string_view check : health_checks) {
                if (rest.substr(1) == check) return text_response(200, "ok");
            }
            return text_response(404, "404 page not found\n");
        }
        if (!info.has("verbose")) return text_response(200, "ok");
        std::string text;
        for (const std::string_view check : health_checks) text += "[+]" + std::string(check) + " ok\n";
        if (endpoint == "/readyz") text += "[+]shutdown ok\n";
        return text_response(200, text + std::string(endpoint.substr(1)) + " check passed\n");
    }
    return std::nullopt;
}

}  // namespace

struct Handlers::Impl {
    explicit Impl(Options given) : options(given) {}

    std::optional<Response> document(const Request& request, const RequestInfo& info);
    // Passes on what another server answers for; false when none does.
    bool forward(const Request& request, const HeadersPtr& headers, const Respond& respond);
    Respond audited(const Request& request, const std::shared_ptr<AuditNotes>& notes, Respond respond) const;
    std::vector<AggregatedServicePtr> elsewhere() const;
    AggregatedServicePtr answered_elsewhere(std::string_view path, bool& document) const;
    std::vector<ForeignOpenApi> foreign_openapi() const;
    bool serves_path(const RequestInfo& info) const;
    Response unknown(const Request& request, const std::vector<std::string_view>& parts) const;
    std::optional<Response> discovery(const Request& request, std::string_view path,
                                      const std::vector<std::string_view>& parts);
    bool serves_builtin_group(std::string_view group) const;
    std::optional<Response> refuse_document(const Request& request, const std::vector<std::string_view>& parts) const;
    ApiResult<bool> resource(const ExchangePtr& exchange);
    // Handles the exchange, now or when the answers that it needs are there.
    void run(const ExchangePtr& exchange);
    std::string version_json() const;
    Response with_etag(const Request& request, Scatter body, std::string type, std::string tag) const;

    Options options;
    const int minor = minor_of(options.kubernetes_version);
    OpenApiService openapi;
    KwokMetrics kwok_metrics;
    Mutex mutex;
    // Large documents, made when they are first asked for.
    std::map<std::string, Bytes> documents KUBEMU_GUARDED_BY(mutex);
    std::uint64_t epoch KUBEMU_GUARDED_BY(mutex) = 0;  // of the kinds that they describe

    template <class Make>
    Bytes cached(const std::string& name, Make make) {
        Lock lock(mutex);
        // Documents of kinds that came or went since are made anew.
        const std::uint64_t others = options.aggregated == nullptr ? 0 : options.aggregated->epoch();
        if (const std::uint64_t now = options.registry.kinds().epoch() + others; now != epoch) {
            documents.clear();
            epoch = now;
        }
        Bytes& slot = documents[name];
        if (!slot) slot = make_bytes(make());
        return slot;
    }
};

Handlers::Handlers(Options options) : impl_(std::make_unique<Impl>(options)) {
    if (options.connection_clock == nullptr) impl_->options.connection_clock = &options.registry.clock();
}
Handlers::~Handlers() = default;

std::string Handlers::Impl::version_json() const {
    const std::string& version = options.kubernetes_version;
    const auto parts = split(std::string_view(version).substr(1), '.');
    Json document = {{"gitVersion", version},
                     {"gitCommit", "0000000000000000000000000000000000000000"},
                     {"gitTreeState", "clean"},
                     {"buildDate", "2026-01-01T00:00:00Z"},
                     {"goVersion", "go1.24"},
                     {"compiler", "gc"},
                     {"platform", "linux/amd64"}};
    std::string text = "{\n  \"major\": \"" + std::string(parts[0]) + "\",\n  \"minor\": \"" + std::string(parts[1]) + "\"";
    // Since 1.33 a server says as which release it behaves, and with which it gets on (KEP-4330).
    if (constexpr int tells_emulation = 33; minor >= tells_emulation) {
        const auto add = [&text](const char* name, const std::string& value) { text += ",\n  \"" + std::string(name) + "\": \"" + value + "\""; };
        add("emulationMajor", std::string(parts[0]));
        add("emulationMinor", std::string(parts[1]));
        add("minCompatibilityMajor", std::string(parts[0]));
        add("minCompatibilityMinor", std::to_string(minor - 1));
    }
    for (const char* member : {"gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"}) {
        text += ",\n  \"" + std::string(member) + "\": \"" + document[member].get<std::string>() + "\"";
    }
    return text + "\n}";
}

Response Handlers::Impl::with_etag(const Request& request, Scatter body, std::string type, std::string tag) const {
    Response response;
    response.content_type = std::move(type);
    response.headers.emplace_back("Etag", "\"" + tag + "\"");
    response.headers.emplace_back("Vary", "Accept");
    if (request.if_none_match.find(tag) != std::string::npos) {
        response.code = 304;
        return response;
    }
    response.body = std::move(body);
    return response;
}

// Custom kinds are served at paths of their own scope alone, and the groups that they make know nothing else.
bool Handlers::Impl::serves_path(const RequestInfo& info) const {
    const KindSpec* kind = options.registry.kinds().by_plural(info.group, info.version, info.resource);
    if (kind == nullptr) {
        const auto builtin = builtin_group_versions();
        return std::any_of(builtin.begin(), builtin.end(), [&](const GroupVersionSpec& version) {
            return version.group == info.group && version.version == info.version;
        });
    }
    if (kind->custom == nullptr) return true;
    return kind->namespaced ? !info.namespace_name.empty() || info.name.empty() : info.namespace_name.empty();
}

// /api, /apis, and what is in a group or a version; nothing for other paths.
std::optional<Response> Handlers::Impl::discovery(const Request& request, std::string_view path,
                                                  const std::vector<std::string_view>& parts) {
    const auto& kinds = options.registry.kinds().all();
    if (path == "/api" || path == "/apis") {
        const bool core = path == "/api";
        // Whoever does not accept what is aggregated gets the plain list.
        if (const auto form = negotiate(request, {Endpoint::Transforms::discovery});
            form && !form->discovery_version.empty()) {
            const std::string version(form->discovery_version);
            const Bytes text = cached("discovery" + version + std::string(path),
                                      [&] { return aggregated_discovery(kinds, core, version, elsewhere()); });
            Response encoded;
            set_body(encoded, *form, {Slice(text)}, find_type("apidiscovery/" + version + ".APIGroupDiscoveryList"));
            return with_etag(request, std::move(encoded.body),
                             encoded.content_type + ";g=apidiscovery.k8s.io;v=" + version + ";as=APIGroupDiscoveryList",
                             openapi_hash(*text));
        }
        return core ? document_response(request, api_versions(), "meta/v1.APIVersions")
                    : document_response(request, api_group_list(kinds, elsewhere()), "meta/v1.APIGroupList");
    }
    if (parts[0] == "apis" && parts.size() == 2) {
        std::string group = api_group(kinds, parts[1], elsewhere());
        return group.empty() ? unknown(request, parts)
                             : document_response(request, std::move(group), "meta/v1.APIGroup");
    }
    if ((parts[0] == "api" && parts.size() == 2) || (parts[0] == "apis" && parts.size() == 3)) {
        const std::string_view group = parts.size() == 2 ? std::string_view() : parts[1];
        std::string list = api_resource_list(kinds, group, parts.back());
        return list.empty() ? unknown(request, parts)
                            : document_response(request, std::move(list), "meta/v1.APIResourceList");
    }
    return std::nullopt;
}

// What is no resource; nothing when the path is one.
std::optional<Response> Handlers::Impl::document(const Request& request, const RequestInfo& info) {
    std::string_view path = request.path;
    if (path.starts_with("//")) return text_response(404, "404 page not found\n");
    if (path.starts_with("/openapi/v3/") && path.find_first_not_of('/', 11) == path.npos) return text_response(404, "", "");
    if (path.starts_with("/openapi/v2/")) return text_response(404, "404 page not found\n");
    // Only what is below /api and /apis, and /version, does without its last slash.
    const bool routed = path.starts_with("/api/") || path.starts_with("/apis/") || path == "/version/";
    while (routed && path.size() > 1 && path.back() == '/') path.remove_suffix(1);
    if (auto response = health(path, info)) return response;
    const auto parts = split(path.substr(1), '/');
    if (auto response = refuse_document(request, parts)) return response;
    if (path == "/version") return json_response(version_json());
    if (path.substr(0, 8) == "/openapi") {
        const KindRegistry& served = options.registry.kinds();
        // Both count up; neither reaches 2^32.
        const std::uint64_t generation = served.epoch() + (options.aggregated == nullptr ? 0 : options.aggregated->openapi_epoch() << 32);
        const OpenApiSource source{served.all(), options.kubernetes_version, generation, custom_schema, [this] { return foreign_openapi(); }};
        return openapi.answer(request, path, info.parameter("hash"), source, options.registry.clock().now());
    }
    if (auto response = discovery(request, path, parts)) return response;
    if (path == "/") {
        Json paths = {"/.well-known/openid-configuration", "/api", "/api/v1", "/apis", "/apis/"};
        for (const GroupVersionSpec& version : served_versions(options.registry.kinds().all())) {
            if (version.group.empty()) continue;
            paths.push_back("/apis/" + std::string(version.group));
            paths.push_back("/apis/" + std::string(version.group) + "/" + std::string(version.version));
        }
        for (const char* other : {"/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/openid/v1/jwks", "/readyz", "/version"}) paths.push_back(other);
        return json_response(Json{{"paths", paths}}.dump(2));
    }
    if (path == "/.well-known/openid-configuration") return json_response(openid_configuration());
    if (path == "/openid/v1/jwks") return text_response(200, options.access.tokens.key_set(), "application/jwk-set+json");
    if (path == "/metrics") {
        std::string text = "# TYPE apiserver_storage_objects gauge\n";
        for (const KindSpec* kind : options.registry.kinds().stored_kinds()) {
            text += "apiserver_storage_objects{resource=\"" + std::string(kind->resource) + "\"} " +
                    std::to_string(options.registry.store().count(kind->resource, "")) + "\n";
        }
        text += "# TYPE kubemu_current_revision gauge\nkubemu_current_revision " +
                std::to_string(options.registry.store().current_revision()) + "\n";
        return text_response(200, text, "text/plain; version=0.0.4; charset=utf-8");
    }
    if (path.starts_with("/metrics/") && request.method == "GET") {
        if (const auto text = kwok_metrics.scrape(options.registry, path, options.registry.clock().now()))
            return text_response(200, *text, "text/plain; version=0.0.4; charset=utf-8");
    }
    if (!info.is_resource || !options.registry.kinds().has_group_version(info.group, info.version))
        return unknown(request, parts);
    const bool known = options.registry.kinds().by_plural(info.group, info.version, info.resource) != nullptr;
    if (!known && !serves_builtin_group(info.group)) return unknown(request, parts);
    if (!serves_path(info)) return text_response(404, "404 page not found\n");
    return std::nullopt;
}

// Below the groups that are compiled in, what is not there is refused as a resource is.
Response Handlers::Impl::unknown(const Request& request, const std::vector<std::string_view>& parts) const {
    const bool core = parts[0] == "api" && parts.size() > 1;
    if (core || (parts[0] == "apis" && parts.size() > 1 && serves_builtin_group(parts[1]))) {
        return status_response(Status::unknown_path(), request);
    }
    return text_response(404, "404 page not found\n");
}

bool Handlers::Impl::serves_builtin_group(std::string_view group) const {
    const auto& kinds = options.registry.kinds().all();
    return std::any_of(kinds.begin(), kinds.end(), [&](const KindSpec* kind) { return is_builtin(*kind) && kind->group == group; });
}

// Discovery and /version are routes too: GET alone, in the media types that they produce.
std::optional<Response> Handlers::Impl::refuse_document(const Request& request, const std::vector<std::string_view>& parts) const {
    const bool version = parts.size() == 1 && parts[0] == "version";
    const bool core = parts[0] == "api" && parts.size() <= 2;
    const bool group = parts[0] == "apis" && parts.size() <= 3 && (parts.size() == 1 || serves_builtin_group(parts[1]));
    // "/apis//apps/v1"
    if (parts.size() > 1 && parts[0] == "apis" && parts[1].empty()) return text_response(404, "404 page not found\n");
    if (!version && !core && !group) return std::nullopt;
    if (request.method != "GET") return status_response(Status::server_response(405), request);
    const auto accepted = check_accept(request.accept, version ? json_types : object_types, false);
    if (!accepted) return status_response(accepted.error(), request);
    return std::nullopt;
}

ApiResult<bool> Handlers::Impl::resource(const ExchangePtr& exchange) {
    const RequestInfo& info = exchange->info;
    exchange->kind = exchange->registry.kinds().by_plural(info.group, info.version, info.resource);
    if (exchange->kind == nullptr) return Status::unknown_path();
    const KindSpec& kind = *exchange->kind;
    const std::string& method = exchange->request.method;
    const bool connects = info.subresource == "exec" || info.subresource == "attach" || info.subresource == "portforward";
    if (connects && kind.resource == "pods" && (method == "GET" || method == "POST")) {
        return handle_connect(exchange);
    }
    const std::string_view subresource = std::string_view(info.subresource).substr(0, info.subresource.find('/'));
    // Whatever method and media types: those are the business of whoever answers.
    const bool proxies = subresource == "proxy" && (kind.resource == "pods" || kind.resource == "services");
    if (proxies && !info.namespace_name.empty()) return handle_proxy(exchange);
    if (subresource == "proxy" && kind.resource == "nodes") return handle_node_proxy(exchange);
    const ApiResult<Action> routed = route(*exchange);
    // Routes that are there say that their kind is deprecated; a method that is not allowed says nothing. Where lists are
    // served there is a route to watch them, whatever it answers.
    const bool lists = method == "GET" && info.name.empty() && info.subresource.empty() && kind.can(Verb::list);
    const std::string_view deprecated = exchange->registry.kinds().deprecation_warning(kind);
    if (!deprecated.empty() && (routed || lists)) {
        exchange->warnings.emplace_back(deprecated);
        audit_note("k8s.io/deprecated", "true");
    }
    TRY_ASSIGN(const Action action, routed);
    if (action == Action::log) return handle_log(exchange);
    // Custom resources themselves have no form in Protocol Buffers, their metadata has.
    const Endpoint endpoint{.tables = has_rows(kind, info.subresource), .protobuf = is_builtin(kind)};
    TRY_ASSIGN(exchange->form, negotiate(exchange->request, endpoint));
    if (exchange->form.as == AnswerForm::As::table) TRY(check_include_object(*exchange));
    switch (action) {
        case Action::get: return handle_get(exchange);
        case Action::list: return handle_list(exchange);
        case Action::watch: return handle_watch(exchange);
        case Action::create: return handle_create(exchange);
        case Action::update: return handle_update(exchange);
        case Action::patch: return handle_patch(exchange);
        case Action::remove: return handle_delete(exchange);
        case Action::remove_collection: return handle_delete_collection(exchange);
        case Action::log: break;
    }
    return Status::unknown_path();
}

std::vector<AggregatedServicePtr> Handlers::Impl::elsewhere() const {
    return options.aggregated == nullptr ? std::vector<AggregatedServicePtr>() : options.aggregated->all();
}

std::vector<ForeignOpenApi> Handlers::Impl::foreign_openapi() const {
    std::vector<ForeignOpenApi> out;
    for (const AggregatedServicePtr& service : elsewhere()) {
        if (service->openapi) out.push_back({service->group, service->version, service->openapi->v3_url, service->openapi->v2});
    }
    return out;
}

// Whatever is below /apis/GROUP/VERSION, and the OpenAPI document of that; null: we answer ourselves.
AggregatedServicePtr Handlers::Impl::answered_elsewhere(std::string_view path, bool& document) const {
    if (options.aggregated == nullptr || options.aggregated->empty()) return nullptr;
    constexpr std::string_view openapi = "/openapi/v3";
    document = path.substr(0, openapi.size()) == openapi;
    if (document) path.remove_prefix(openapi.size());
    const auto parts = split(path, '/');
    if (parts.size() < 4 || parts[1] != "apis") return nullptr;
    return options.aggregated->find(parts[2], parts[3]);
}

bool Handlers::passes_on(std::string_view path) const {
    bool document = false;
    if (path.find("/proxy") != std::string_view::npos) return true;
    const AggregatedServicePtr service = impl_->answered_elsewhere(path, document);
    return service != nullptr && !service->local;
}

// handler_proxy.go
bool Handlers::Impl::forward(const Request& request, const HeadersPtr& headers, const Respond& respond) {
    bool document = false;
    const AggregatedServicePtr service = answered_elsewhere(request.path, document);
    if (service == nullptr) return false;
    if (service->local && !document) {
        respond(service->local(request));
        return true;
    }
    if (service->local || options.remote == nullptr) return false;
    if (!service->available) {
        respond(text_response(503, "service unavailable\n"));
        return true;
    }
    options.remote->forward(forwarded(*service, request, headers.get()), respond);
    return true;
}

// The answer, told to the audit log on its way.
Respond Handlers::Impl::audited(const Request& request, const std::shared_ptr<AuditNotes>& notes, Respond respond) const {
    Request head = request;
    head.body.clear();
    const RequestInfo info = parse_request_info(request.path, request.query);
    const auto decision = options.access.authorizer.authorize(request.user, attributes_of(request, info));
    const AuditNotes decided = {{"authorization.k8s.io/decision", "allow"}, {"authorization.k8s.io/reason", decision.reason}};
    return [this, head = std::move(head), notes, decided, received = options.audit->now(), respond = std::move(respond)](Response response) {
        AuditNotes all = *notes;
        all.insert(decided.begin(), decided.end());
        options.audit->write(head, received, response, all);
        respond(std::move(response));
    };
}

void Handlers::handle(Request request, Respond respond, HeadersPtr headers) {
    std::shared_ptr<AuditNotes> notes;
    if (impl_->options.audit != nullptr) {
        notes = std::make_shared<AuditNotes>();
        respond = impl_->audited(request, notes, std::move(respond));
    }
    if (impl_->forward(request, headers, respond)) return;
    if (!is_percent_encoded(request.path)) return respond(text_response(400, "400 Bad Request"));
    RequestInfo info = parse_request_info(request.path, request.query);
    if (const std::string wrong = wrong_timeout(info); !wrong.empty()) {
        return respond(status_response(Status::bad_request(wrong), request));
    }
    KindRegistry::Pin kinds = impl_->options.registry.kinds().pin();
    try {
        if (auto response = impl_->document(request, info)) return respond(std::move(*response));
    } catch (const std::exception& error) {
        log_line(LogLevel::error, "a document could not be made", {{"path", request.path}, {"error", error.what()}});
        return respond(text_response(500, "internal error\n"));
    }
    auto exchange = std::make_shared<Exchange>(impl_->options.registry);
    exchange->logs = impl_->options.logs;
    exchange->streams = impl_->options.streams;
    exchange->minor = impl_->minor;
    exchange->access = &impl_->options.access;
    exchange->remote = impl_->options.remote;
    exchange->connection_clock = impl_->options.connection_clock;
    exchange->notes = std::move(notes);
    exchange->request = std::move(request);
    exchange->headers = std::move(headers);
    exchange->info = std::move(info);
    exchange->respond = std::move(respond);
    exchange->kinds = std::move(kinds);
    impl_->run(exchange);
}

void Handlers::Impl::run(const ExchangePtr& exchange) {
    exchange->calls.begin();
    exchange->warnings.clear();
    exchange->kinds = options.registry.kinds().pin();
    RequestScope scope;
    if (options.remote != nullptr) scope.calls = &exchange->calls;
    if (exchange->notes) {
        exchange->notes->clear();
        scope.audit = exchange->notes.get();
    }
    try {
        const auto handled = resource(exchange);
        if (handled) return;
        if (!exchange->calls.waiting() || options.remote == nullptr) return answer_status(*exchange, handled.error());
        if (exchange->calls.exhausted()) {
            return answer_status(*exchange, Status::internal("the request had to ask other servers too often"));
        }
        exchange->calls.start(*options.remote, [this, exchange] { run(exchange); });
    } catch (const std::exception& error) {
        log_line(LogLevel::error, "a request ended by an exception", {{"path", exchange->request.path}, {"error", error.what()}});
        if (exchange->respond) answer_status(*exchange, Status::internal(error.what()));
    }
}

}  // namespace kubemu::api
