// Approve, sign, clean up.
#include "controllers/certificates/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/text.h"
#include "api/values/time.h"
#include "controllers/certificates/requests.h"

namespace kubemu::controllers {
namespace {

using api::Json;

constexpr const char* account = "certificate-controller";
// --cluster-signing-duration.
constexpr Duration duration_max = std::chrono::hours(365 * 24);
constexpr Duration duration_min = std::chrono::minutes(10);
// The clocks of others may be behind. What lives less than `short_lived` keeps all of its time.
constexpr Duration backdate = std::chrono::minutes(5);
constexpr Duration short_lived = std::chrono::hours(8);
constexpr Duration done_kept = std::chrono::hours(1);
constexpr Duration pending_kept = std::chrono::hours(24);

Json condition(const char* type, const char* reason, const std::string& message, Time now) {
    const std::string when = api::format_time(now);
    return {{"type", type}, {"status", "True"}, {"reason", reason}, {"message", message},
            {"lastUpdateTime", when}, {"lastTransitionTime", when}};
}

void add_condition(Json& request, Json added) {
    Json& conditions = api::ensure(request, {"status"})["conditions"];
    if (!conditions.is_array()) conditions = Json::array();
    conditions.push_back(std::move(added));
}

api::User requester(const Json& request) {
    api::User user{std::string(api::string_at(request, {"spec", "username"})), std::string(api::string_at(request, {"spec", "uid"})), {}, {}};
    for (const Json& group : api::array_at(request, {"spec", "groups"})) user.groups.push_back(group.get<std::string>());
    for (const auto& [key, values] : api::object_at(request, {"spec", "extra"}).items()) {
        for (const Json& value : values) user.extra[key].push_back(value.get<std::string>());
    }
    return user;
}

bool may(const api::Authorizer& authorizer, const api::User& user, const char* subresource) {
    api::Attributes attributes;
    attributes.verb = "create";
    attributes.resource_request = true;
    attributes.group = "certificates.k8s.io";
    attributes.version = "*";
    attributes.resource = "certificatesigningrequests";
    attributes.subresource = subresource;
    return authorizer.authorize(user, attributes).allowed;
}

Duration asked_duration(const Json& request) {
    const Json* seconds = api::find(request, {"spec", "expirationSeconds"});
    if (seconds == nullptr) return duration_max;
    return std::clamp<Duration>(std::chrono::seconds(seconds->get<std::int64_t>()), duration_min, duration_max);
}

}  // namespace

// ---------------------------------------------------------------- approving

CsrApprovingController::CsrApprovingController(Manager& manager, const api::Authorizer& authorizer)
    : Controller(manager, "csrapproving", account), requests_(manager.informer(csr_resource)), authorizer_(authorizer) {
    enqueue_on_change(requests_);
}

api::ApiResult<Requeue> CsrApprovingController::reconcile(const std::string& key) {
    const auto record = requests_.get(key);
    if (!record) return Requeue{};
    const Json request = client().document(*record);
    if (is_issued(request) || true_condition(request, "Approved") != nullptr || true_condition(request, "Denied") != nullptr) {
        return Requeue{};
    }
    if (api::string_at(request, {"spec", "signerName"}) != kubelet_client_signer) return Requeue{};
    const auto asked = api::read_certificate_request(request_pem(request));
    if (!asked || !kubelet_client_error(*asked, usages_of(request)).empty()) return Requeue{};
    const api::User user = requester(request);
    std::string message;
    if (user.name == asked->common_name && may(authorizer_, user, "selfnodeclient")) {
        message = "Auto approving self kubelet client certificate after SubjectAccessReview.";
    } else if (may(authorizer_, user, "nodeclient")) {
        message = "Auto approving kubelet client certificate after SubjectAccessReview.";
    } else {
        return Requeue{};
    }
    const auto approved = client().modify(kind(csr_resource), {}, key, "approval", [&](Json& object) {
        add_condition(object, condition("Approved", "AutoApproved", message, now()));
        return true;
    });
    if (!approved && approved.error().code() != 404) return approved.error();
    return Requeue{};
}

// ---------------------------------------------------------------- signing

CsrSigningController::CsrSigningController(Manager& manager, api::CertificateAuthority authority)
    : Controller(manager, "csrsigning", account), requests_(manager.informer(csr_resource)), authority_(std::move(authority)) {
    enqueue_on_change(requests_);
}

api::ApiResult<Requeue> CsrSigningController::fail(const std::string& key, const std::string& why) {
    const auto failed = client().modify(kind(csr_resource), {}, key, "status", [&](Json& object) {
        add_condition(object, condition("Failed", "SignerValidationFailure", why, now()));
        return true;
    });
    if (!failed && failed.error().code() != 404) return failed.error();
    return Requeue{};
}

api::ApiResult<Requeue> CsrSigningController::reconcile(const std::string& key) {
    const auto record = requests_.get(key);
    if (!record) return Requeue{};
    const Json request = client().document(*record);
    if (is_issued(request) || true_condition(request, "Approved") == nullptr || true_condition(request, "Denied") != nullptr ||
        true_condition(request, "Failed") != nullptr) {
        return Requeue{};
    }
    const std::string_view signer = api::string_at(request, {"spec", "signerName"});
    const std::string pem = request_pem(request);
    const std::vector<std::string> usages = usages_of(request);
    const auto asked = api::read_certificate_request(pem);
    std::string wrong;
    if (!asked) {
        return api::Status::internal("unable to parse csr " + api::go_quote(key) + ": " + asked.error().message);
    } else if (signer == kubelet_client_signer) {
        wrong = kubelet_client_error(*asked, usages);
    } else if (signer == "kubernetes.io/kubelet-serving") {
        wrong = kubelet_serving_error(*asked, usages);
    } else if (signer == "kubernetes.io/kube-apiserver-client") {
        wrong = api_client_error(usages);
    } else if (signer != "kubernetes.io/legacy-unknown") {
        return Requeue{};
    }
    if (!wrong.empty()) return fail(key, wrong);
    const Duration lasts = asked_duration(request);
    api::CertificateAuthority::Terms terms{usages, now() - backdate, now() + (lasts < short_lived ? lasts : lasts - backdate)};
    const auto certificate = authority_.sign(pem, terms);
    if (!certificate) return api::Status::internal("error auto signing csr: " + certificate.error().message);
    const std::string encoded = api::base64_encode(*certificate);
    const auto signed_one = client().modify(kind(csr_resource), {}, key, "status", [&](Json& object) {
        if (is_issued(object)) return false;
        api::ensure(object, {"status"})["certificate"] = encoded;
        return true;
    });
    if (!signed_one && signed_one.error().code() != 404) return signed_one.error();
    return Requeue{};
}

// ---------------------------------------------------------------- cleaning

namespace {

// When the request is no longer needed; nothing when that is not known yet.
std::optional<Time> end_of(const Json& request, const api::ObjectView& view) {
    std::optional<Time> end;
    const auto at = [&end](Time time) { end = end ? std::min(*end, time) : time; };
    const auto updated = [](const Json& one) { return api::parse_time(api::string_at(one, {"lastUpdateTime"})); };
    if (api::array_at(request, {"status", "conditions"}).empty()) at(view.created + pending_kept);
    for (const char* type : {"Denied", "Failed"}) {
        const Json* found = true_condition(request, type);
        if (found == nullptr) continue;
        if (const auto when = updated(*found)) at(*when + done_kept);
    }
    const Json* approved = true_condition(request, "Approved");
    if (approved == nullptr) return end;
    if (const auto when = updated(*approved)) at(*when + (is_issued(request) ? done_kept : pending_kept));
    std::string certificate;
    if (is_issued(request) && api::base64_decode(api::string_at(request, {"status", "certificate"}), certificate)) {
        if (const auto expiry = api::certificate_expiry(certificate)) at(*expiry);
    }
    return end;
}

}  // namespace

CsrCleanerController::CsrCleanerController(Manager& manager)
    : Controller(manager, "csrcleaner", account), requests_(manager.informer(csr_resource)) {
    enqueue_on_change(requests_);
}

api::ApiResult<Requeue> CsrCleanerController::reconcile(const std::string& key) {
    const auto record = requests_.get(key);
    if (!record) return Requeue{};
    const auto end = end_of(client().document(*record), api::view_of(*record));
    if (!end) return Requeue{};
    if (now() <= *end) return Requeue{*end - now() + std::chrono::milliseconds(1)};
    const auto removed = client().remove(kind(csr_resource), {}, key);
    if (!removed && removed.error().code() != 404) return removed.error();
    return Requeue{};
}

}  // namespace kubemu::controllers
