// KindRegistry: what each release serves, and from when on it warns.
#include "api/kind_registry.h"

#include <doctest/doctest.h>

using namespace kubemu::api;

TEST_CASE("older releases serve beta versions, newer ones do not") {
    struct Case {
        const char *group, *version, *plural;
        int first, last;  // minor releases
    };
    const Case cases[] = {
        {"extensions", "v1beta1", "ingresses", 1, 21},
        {"networking.k8s.io", "v1beta1", "ingresses", 14, 21},
        {"networking.k8s.io", "v1", "ingresses", 19, 36},
        {"policy", "v1beta1", "poddisruptionbudgets", 5, 24},
        {"policy", "v1", "poddisruptionbudgets", 21, 36},
        {"rbac.authorization.k8s.io", "v1beta1", "roles", 6, 21},
        {"certificates.k8s.io", "v1beta1", "certificatesigningrequests", 12, 21},
        {"discovery.k8s.io", "v1beta1", "endpointslices", 16, 24},
        {"events.k8s.io", "v1beta1", "events", 8, 24},
        {"autoscaling", "v2beta1", "horizontalpodautoscalers", 8, 24},
        {"autoscaling", "v2beta2", "horizontalpodautoscalers", 12, 25},
        {"autoscaling", "v2", "horizontalpodautoscalers", 23, 36},
        {"admissionregistration.k8s.io", "v1beta1", "validatingwebhookconfigurations", 9, 21},
        {"storage.k8s.io", "v1beta1", "csidrivers", 14, 21},
        {"scheduling.k8s.io", "v1beta1", "priorityclasses", 11, 21},
        {"coordination.k8s.io", "v1beta1", "leases", 12, 21},
        {"flowcontrol.apiserver.k8s.io", "v1beta3", "flowschemas", 26, 31},
        {"batch", "v1beta1", "cronjobs", 1, 36}};
    for (int minor = 20; minor <= 36; ++minor) {
        const KindRegistry registry("v1." + std::to_string(minor) + ".0");
        for (const Case& item : cases) {
            CAPTURE(item.group);
            CAPTURE(item.version);
            CAPTURE(minor);
            CHECK((registry.by_plural(item.group, item.version, item.plural) != nullptr) ==
                  (item.first <= minor && minor <= item.last));
        }
        // What is served in any version has a form in which it is stored.
        CHECK(registry.find_stored("poddisruptionbudgets.policy") != nullptr);
    }
}

TEST_CASE("a version is warned of once it is deprecated") {
    const KindRegistry old("1.20"), later("1.21");
    const KindSpec& cron = *old.by_plural("batch", "v1beta1", "cronjobs");
    CHECK(old.deprecation_warning(cron).empty());
    CHECK(later.deprecation_warning(cron) ==
          "batch/v1beta1 CronJob is deprecated in v1.21+, unavailable in v1.25+; use batch/v1 CronJob");
    const KindSpec& ingress = *old.by_plural("extensions", "v1beta1", "ingresses");
    CHECK(old.deprecation_warning(ingress) ==
          "extensions/v1beta1 Ingress is deprecated in v1.14+, unavailable in v1.22+; use "
          "networking.k8s.io/v1 Ingress");
    CHECK(old.deprecation_warning(*old.by_plural("apps", "v1", "deployments")).empty());
}
