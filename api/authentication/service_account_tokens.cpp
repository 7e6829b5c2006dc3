// Claims of tokens and what must hold of them.
#include "api/authentication/service_account_tokens.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/authentication/seeded_key.h"
#include "api/authentication/service_account.h"
#include "api/codec/json.h"
#include "api/kinds/views.h"
#include "api/values/text.h"
#include "api/values/time.h"
#include "storage/base/log.h"

namespace kubemu::api {
namespace {

constexpr std::string_view secret_issuer = "kubernetes/serviceaccount";
constexpr std::string_view claim_prefix = "kubernetes.io/serviceaccount/";
constexpr const char* key_name = "service-account-key";
// Clocks may differ by this much (jwt.DefaultLeeway).
constexpr Duration leeway = std::chrono::minutes(1);

std::int64_t unix_seconds(Time time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

TokenVerdict refused(std::string why) { return {std::nullopt, std::move(why)}; }

Json reference(const ServiceAccountTokens::Reference& to) {
    Json document = Json::object();
    if (!to.name.empty()) document["name"] = to.name;
    if (!to.uid.empty()) document["uid"] = to.uid;
    return document;
}

std::vector<std::string> audiences_of(const Json& claims) {
    std::vector<std::string> audiences;
    const Json* value = find(claims, "aud");
    if (value != nullptr && value->is_string()) audiences.push_back(value->get<std::string>());
    for (const Json& one : array_at(claims, {"aud"})) {
        if (one.is_string()) audiences.push_back(one.get<std::string>());
    }
    return audiences;
}

std::string time_error(const Json& claims, Time now) {
    const auto at = [&](std::string_view claim) { return Time(std::chrono::seconds(int_at(claims, {claim}))); };
    if (find(claims, "nbf") != nullptr && now + leeway < at("nbf")) return "service account token is not valid yet";
    if (find(claims, "exp") != nullptr && now - leeway > at("exp")) return "service account token has expired";
    if (find(claims, "iat") != nullptr && now + leeway < at("iat")) return "service account token is issued in the future";
    return {};
}

// Deleted, and long enough ago.
bool gone(const storage::RecordPtr& record, Time now) {
    if (record == nullptr) return true;
    const ObjectView& view = view_of(*record);
    return view.deleting && view.deletion_time < now - leeway;
}

// What a token is bound to must still be the same object.
std::string binding_error(const Registry& registry, const Json& claims, std::string_view member, std::string_view resource,
                          std::string_view namespace_name, Time now) {
    const Json* bound = find(claims, {"kubernetes.io", member});
    if (bound == nullptr) return {};
    const std::string_view name = string_at(*bound, {"name"}), uid = string_at(*bound, {"uid"});
    const auto record = registry.get(resource, namespace_name, name);
    if (record == nullptr) return "service account token has been invalidated";
    const std::string& found = view_of(*record).uid;
    if (found != uid) {
        return std::string(member) + " UID (" + found + ") does not match service account " + std::string(member) +
               " ref claim (" + std::string(uid) + ")";
    }
    return gone(record, now) ? "service account token has been invalidated" : "";
}

}  // namespace

std::optional<SigningKey> ServiceAccountTokens::key() {
    Lock lock(mutex_);
    if (key_) return key_;
    storage::Store& store = registry_.store();
    if (const auto kept = store.meta(key_name)) key_ = SigningKey::from_pem(*kept);
    if (key_) return key_;
    key_ = key_seed_ ? SigningKey::from_pem(seeded_rsa_key(*key_seed_)) : SigningKey::generate();
    if (!key_) {
        log_line(LogLevel::error, "no key for service account tokens could be made", {});
        return std::nullopt;
    }
    if (const auto saved = store.set_meta(key_name, key_->pem()); !saved) {
        log_line(LogLevel::warning, "the key of service account tokens could not be kept",
                 {{"error", storage::to_string(saved.error())}});
    }
    return key_;
}

std::string ServiceAccountTokens::issue(const Claims& claims) {
    const auto signing_key = key();
    if (!signing_key) return {};
    const std::int64_t now = unix_seconds(registry_.clock().now());
    Json kubernetes = {{"namespace", claims.namespace_name}, {"serviceaccount", reference(claims.account)}};
    if (claims.pod) kubernetes["pod"] = reference(*claims.pod);
    if (claims.secret) kubernetes["secret"] = reference(*claims.secret);
    if (claims.node) kubernetes["node"] = reference(*claims.node);
    if (claims.warn_after_seconds != 0) kubernetes["warnafter"] = now + claims.warn_after_seconds;
    const Json token = {{"iss", issuer},
                        {"sub", service_account_user_name(claims.namespace_name, claims.account.name)},
                        {"aud", claims.audiences},
                        {"exp", now + claims.expiration_seconds},
                        {"iat", now},
                        {"nbf", now},
                        {"jti", registry_.random().uuid("token")},
                        {"kubernetes.io", std::move(kubernetes)}};
    return signing_key->sign(encode_raw(token));
}

std::string ServiceAccountTokens::issue_for_secret(std::string_view namespace_name, const Reference& account,
                                                   std::string_view secret_name) {
    const auto signing_key = key();
    if (!signing_key) return {};
    Json token = {{"iss", secret_issuer}, {"sub", service_account_user_name(namespace_name, account.name)}};
    const std::string prefix(claim_prefix);
    token[prefix + "namespace"] = namespace_name;
    token[prefix + "secret.name"] = secret_name;
    token[prefix + "service-account.name"] = account.name;
    token[prefix + "service-account.uid"] = account.uid;
    return signing_key->sign(encode_raw(token));
}

TokenVerdict ServiceAccountTokens::check(std::string_view token, const std::vector<std::string>& audiences) {
    const std::size_t first = token.find('.');
    const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return {};
    std::string payload;
    if (!base64_url_decode(token.substr(first + 1, second - first - 1), payload)) return {};
    const auto claims = parse_json(payload);
    if (!claims || !claims->is_object()) return {};
    const std::string_view from = string_at(*claims, {"iss"});
    if (from != issuer && from != secret_issuer) return {};
    std::string header;
    const auto head = base64_url_decode(token.substr(0, first), header) ? parse_json(header) : parse_json("{}");
    if (!head) return {};
    const auto signing_key = key();
    if (!signing_key || (find(*head, "kid") != nullptr && string_at(*head, {"kid"}) != signing_key->id())) {
        return refused("invalid signature, no keys found");
    }
    if (string_at(*head, {"alg"}) != "RS256" || !signing_key->signed_by_me(token)) {
        return refused("go-jose/go-jose: error in cryptographic primitive");
    }
    const std::vector<std::string> server = {std::string(issuer)};
    std::vector<std::string> issued_for = audiences_of(*claims);
    if (issued_for.empty()) issued_for = server;
    const std::vector<std::string>& wanted = audiences.empty() ? server : audiences;
    std::vector<std::string> common;
    for (const std::string& one : issued_for) {
        if (std::find(wanted.begin(), wanted.end(), one) != wanted.end()) common.push_back(one);
    }
    if (common.empty()) {
        return refused("token audiences " + go_quote_list(issued_for) + " is invalid for the target audiences " +
                       go_quote_list(wanted));
    }
    if (from == issuer) return check_bound(*claims, std::move(common));
    TokenVerdict verdict = check_secret(token, *claims);
    if (verdict.holder) verdict.holder->audiences = std::move(common);
    return verdict;
}

TokenVerdict ServiceAccountTokens::check_bound(const Json& claims, std::vector<std::string> audiences) const {
    const Time now = registry_.clock().now();
    if (std::string error = time_error(claims, now); !error.empty()) return refused(std::move(error));
    const std::string space(string_at(claims, {"kubernetes.io", "namespace"}));
    const std::string name(string_at(claims, {"kubernetes.io", "serviceaccount", "name"}));
    const std::string uid(string_at(claims, {"kubernetes.io", "serviceaccount", "uid"}));
    const auto account = registry_.get("serviceaccounts", space, name);
    if (account == nullptr) return refused("serviceaccounts " + go_quote(name) + " not found");
    if (const std::string& found = view_of(*account).uid; found != uid) {
        return refused("service account UID (" + found + ") does not match claim (" + uid + ")");
    }
    if (gone(account, now)) return refused("service account " + space + "/" + name + " has been deleted");
    for (const auto& [member, resource] : {std::pair("secret", "secrets"), std::pair("pod", "pods")}) {
        if (std::string error = binding_error(registry_, claims, member, resource, space, now); !error.empty()) {
            return refused(std::move(error));
        }
    }
    const bool for_pod = find(claims, {"kubernetes.io", "pod"}) != nullptr;
    if (!for_pod) {
        if (std::string error = binding_error(registry_, claims, "node", "nodes", {}, now); !error.empty()) {
            return refused(std::move(error));
        }
    }
    Authenticated holder{{service_account_user_name(space, name), uid, service_account_groups(space), {}}, std::move(audiences)};
    const auto extra = [&](const char* key, std::string_view value) {
        if (!value.empty()) holder.user.extra["authentication.kubernetes.io/" + std::string(key)] = {std::string(value)};
    };
    extra("pod-name", string_at(claims, {"kubernetes.io", "pod", "name"}));
    extra("pod-uid", string_at(claims, {"kubernetes.io", "pod", "uid"}));
    extra("node-name", string_at(claims, {"kubernetes.io", "node", "name"}));
    extra("node-uid", string_at(claims, {"kubernetes.io", "node", "uid"}));
    if (const std::string_view id = string_at(claims, {"jti"}); !id.empty()) extra("credential-id", "JTI=" + std::string(id));
    return {std::move(holder), {}};
}

TokenVerdict ServiceAccountTokens::check_secret(std::string_view token, const Json& claims) {
    const auto claim = [&](std::string_view name) {
        return std::string(string_at(claims, {std::string(claim_prefix) + std::string(name)}));
    };
    const std::string space = claim("namespace"), secret_name = claim("secret.name");
    const std::string name = claim("service-account.name"), uid = claim("service-account.uid");
    if (string_at(claims, {"sub"}).empty()) return refused("sub claim is missing");
    if (space.empty()) return refused("namespace claim is missing");
    if (secret_name.empty()) return refused("secretName claim is missing");
    if (name.empty()) return refused("serviceAccountName claim is missing");
    if (uid.empty()) return refused("serviceAccountUID claim is missing");
    if (!is_service_account(string_at(claims, {"sub"}), space, name)) return refused("sub claim is invalid");
    const auto secret = registry_.get("secrets", space, secret_name);
    if (secret == nullptr || view_of(*secret).deleting) return refused("Token has been invalidated");
    std::string kept;
    const Json document = registry_.document(*secret);
    if (!base64_decode(string_at(document, {"data", "token"}), kept) || kept != token) {
        return refused("Token does not match server's copy");
    }
    const auto account = registry_.get("serviceaccounts", space, name);
    if (account == nullptr) return refused("serviceaccounts " + go_quote(name) + " not found");
    if (view_of(*account).deleting) return refused("ServiceAccount " + space + "/" + name + " has been deleted");
    if (const std::string& found = view_of(*account).uid; found != uid) {
        return refused("ServiceAccount UID (" + found + ") does not match claim (" + uid + ")");
    }
    note_use(*secret);
    if (const std::string* since = view_of(*secret).label(token_invalid_since_label); since != nullptr && !since->empty()) {
        return refused("the token in secret " + space + "/" + secret_name + " for service account " + space + "/" + name +
                       " has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or "
                       "remove the '" + token_invalid_since_label + "' label from the secret to temporarily allow use of this token");
    }
    return {Authenticated{{service_account_user_name(space, name), uid, service_account_groups(space), {}}, {}}, {}};
}

// The day of its last use is a label of the Secret, so that unused ones can be found.
void ServiceAccountTokens::note_use(const storage::Record& secret) {
    const std::string today = format_time(registry_.clock().now()).substr(0, 10);
    const ObjectView& view = view_of(secret);
    if (const std::string* last = view.label(token_last_used_label); last != nullptr && *last >= today) return;
    const auto change = [&](Json& object, bool exists) -> ApiResult<bool> {
        if (!exists) return false;
        object["metadata"]["labels"][token_last_used_label] = today;
        return true;
    };
    WriteContext context;
    context.field_manager = "kube-apiserver";
    const KindSpec& kind = registry_.kinds().stored("secrets");
    if (const auto noted = registry_.update(kind, view.namespace_name, view.name, {}, change, context); !noted) {
        log_line(LogLevel::warning, "the use of a token could not be noted", {{"error", noted.error()->message}});
    }
}

std::string ServiceAccountTokens::key_set() {
    const auto signing_key = key();
    return signing_key ? signing_key->key_set() : std::string();
}

}  // namespace kubemu::api
