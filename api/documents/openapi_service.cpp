// A document is kept as text and, once asked for, as Protocol Buffers. The index needs the hash of every document, but
// not their texts, so it keeps the hashes alone.
#include "api/documents/openapi_service.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <map>

#include "api/documents/gnostic.h"
#include "api/documents/json_text.h"
#include "api/values/text.h"
#include "storage/base/mutex.h"

namespace kubemu::api {
namespace {

struct Document {
    Bytes json, protobuf;
    std::string hash;
    Time made{};
};

struct Offer {
    std::string_view type;      // "application/json"
    std::string_view answered;  // the Content-Type of the answer
    bool protobuf;
};
// The first spelling with '@' is deprecated, for it is no valid media type.
constexpr std::array<Offer, 3> v2_offers = {Offer{"application/json", "application/json", false},
                                            Offer{"application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
                                                  "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", true},
                                            Offer{"application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
                                                  "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", true}};
constexpr std::array<Offer, 3> v3_offers = {Offer{"application/json", "application/json", false},
                                            Offer{"application/com.github.proto-openapi.spec.v3.v1.0+protobuf",
                                                  "application/com.github.proto-openapi.spec.v3.v1.0+protobuf", true},
                                            Offer{"application/com.github.proto-openapi.spec.v3@v1.0+protobuf",
                                                  "application/com.github.proto-openapi.spec.v3.v1.0+protobuf", true}};

// The best offer by the order and the q-values of an Accept header; null when none will do.
const Offer* choose(std::string_view accept, const std::array<Offer, 3>& offers) {
    if (trim(accept).empty()) accept = "*/*";
    struct Clause {
        std::string type;
        double quality;
    };
    std::vector<Clause> clauses;
    for (const std::string_view part : split(accept, ',')) {
        const auto members = split(part, ';');
        Clause clause{lower(trim(members[0])), 1};
        for (std::size_t i = 1; i < members.size(); ++i) {
            const std::string_view member = trim(members[i]);
            if (member.substr(0, 2) != "q=") continue;
            clause.quality = std::atof(std::string(member.substr(2)).c_str());
        }
        clauses.push_back(std::move(clause));
    }
    std::stable_sort(clauses.begin(), clauses.end(),
                     [](const Clause& a, const Clause& b) { return a.quality > b.quality; });
    for (const Clause& clause : clauses) {
        for (const Offer& offer : offers) {
            if (clause.type == "*/*" || clause.type == "application/*" || clause.type == offer.type) return &offer;
        }
    }
    return nullptr;
}

// RFC 1123, as HTTP dates are ("Mon, 02 Jan 2006 15:04:05 GMT"); `zone` is what Go prints.
std::string http_date(Time time, const char* zone, std::chrono::years later = std::chrono::years(0)) {
    constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto midnight = std::chrono::floor<std::chrono::days>(time);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time - midnight).count();
    const std::chrono::sys_days day = std::chrono::year_month_day(midnight) + later;
    const std::chrono::year_month_day date(day);
    char text[64];
    std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d %s", days[std::chrono::weekday(day).c_encoding()],
                  static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
                  static_cast<int>(date.year()), static_cast<int>(seconds / 3600), static_cast<int>(seconds / 60 % 60),
                  static_cast<int>(seconds % 60), zone);
    return text;
}

Response nothing(int code) {
    Response response;
    response.code = code;
    response.content_type.clear();
    return response;
}

bool matches(std::string_view if_none_match, const std::string& tag) {
    return trim(if_none_match) == "*" || if_none_match.find(tag) != std::string_view::npos;
}

std::string url_of(std::string_view name, const std::string& hash) {
    return "/openapi/v3/" + std::string(name) + "?hash=" + hash;
}

}  // namespace

struct OpenApiService::Impl {
    Mutex mutex;
    std::uint64_t generation KUBEMU_GUARDED_BY(mutex) = 0;
    Document v2 KUBEMU_GUARDED_BY(mutex);
    std::map<std::string, Document, std::less<>> v3 KUBEMU_GUARDED_BY(mutex);
    Document index KUBEMU_GUARDED_BY(mutex);

    void forget_stale(const OpenApiSource& source) KUBEMU_REQUIRES(mutex) {
        if (generation == source.generation) return;
        generation = source.generation;
        v2 = {};
        v3.clear();
        index = {};
    }

    static void fill(Document& document, std::string text, Time now) {
        if (document.hash.empty()) {
            document.hash = openapi_hash(text);
            document.made = now;
        }
        document.json = make_bytes(std::move(text));
    }

    // Null when there is no such document.
    Document* find_v3(std::string_view name, const OpenApiSource& source, Time now) KUBEMU_REQUIRES(mutex) {
        const auto found = v3.find(name);
        if (found != v3.end() && found->second.json) return &found->second;
        std::string text = openapi_v3_document(source, name);
        if (text.empty()) return nullptr;
        Document& document = v3[std::string(name)];
        fill(document, std::move(text), now);
        return &document;
    }

    void make_index(const OpenApiSource& source, Time now) KUBEMU_REQUIRES(mutex) {
        if (index.json) return;
        std::map<std::string, std::string> urls;
        if (source.elsewhere) {
            for (const ForeignOpenApi& other : source.elsewhere()) {
                if (!other.v3_url.empty()) urls["apis/" + other.group + "/" + other.version] = other.v3_url;
            }
        }
        for (const std::string& name : openapi_v3_names(source)) {
            Document& document = v3[name];
            if (document.hash.empty()) {
                document.hash = openapi_hash(openapi_v3_document(source, name));
                document.made = now;
            }
            urls[name] = url_of(name, document.hash);
        }
        JsonText out;
        out.open('{').key("paths").open('{');
        for (const auto& [name, url] : urls) out.key(name).open('{').member("serverRelativeURL", url).close('}');
        fill(index, out.close('}').close('}').take(), now);
    }

    Response serve(const Request& request, Document& document, const Offer& offer,
                   std::string (*convert)(const std::string&), Response response) KUBEMU_REQUIRES(mutex) {
        if (offer.protobuf && !document.protobuf) document.protobuf = make_bytes(convert(*document.json));
        const std::string tag = "\"" + document.hash + "\"";
        response.headers.emplace_back("Etag", tag);
        if (matches(request.if_none_match, tag)) {
            response.code = 304;
            response.content_type.clear();
            return response;
        }
        response.content_type = offer.answered;
        response.headers.emplace_back("Last-Modified", http_date(document.made, "GMT"));
        response.body.emplace_back(offer.protobuf ? document.protobuf : document.json);
        return response;
    }
};

OpenApiService::OpenApiService() : impl_(std::make_unique<Impl>()) {}
OpenApiService::~OpenApiService() = default;

Response OpenApiService::answer(const Request& request, std::string_view path, std::string_view hash,
                                const OpenApiSource& source, Time now) {
    Impl& impl = *impl_;
    Lock lock(impl.mutex);
    impl.forget_stale(source);
    Response response;
    if (path == "/openapi/v3") {
        impl.make_index(source, now);
        // Served without an entity tag and with the type that its first bytes look like.
        response.content_type = "text/plain; charset=utf-8";
        response.headers.emplace_back("Last-Modified", http_date(now, "GMT"));
        response.body.emplace_back(impl.index.json);
        return response;
    }
    response.headers.emplace_back("Vary", "Accept");
    if (path == "/openapi/v2") {
        const Offer* offer = choose(request.accept, v2_offers);
        if (offer == nullptr) return nothing(406);
        if (!impl.v2.json) {
            std::string text = openapi_v2_document(source);
            if (source.elsewhere) text = merge_openapi_v2(text, source.elsewhere());
            Impl::fill(impl.v2, std::move(text), now);
        }
        return impl.serve(request, impl.v2, *offer, gnostic_v2_document, std::move(response));
    }
    constexpr std::string_view v3 = "/openapi/v3/";
    if (path.substr(0, v3.size()) != v3) return nothing(404);
    const std::string_view name = path.substr(v3.size());
    Document* document = impl.find_v3(name, source, now);
    if (document == nullptr) return nothing(404);
    const Offer* offer = choose(request.accept, v3_offers);
    if (offer == nullptr) return nothing(406);
    if (!hash.empty() && hash != document->hash) {
        response.code = 301;
        response.content_type = offer->answered;
        response.headers.emplace_back("Etag", "\"" + document->hash + "\"");
        response.headers.emplace_back("Location", url_of(name, document->hash));
        return response;
    }
    if (!hash.empty()) {
        response.headers.emplace_back("Cache-Control", "public, immutable");
        response.headers.emplace_back("Expires", http_date(now, "UTC", std::chrono::years(1)));
    }
    return impl.serve(request, *document, *offer, gnostic_v3_document, std::move(response));
}

}  // namespace kubemu::api
