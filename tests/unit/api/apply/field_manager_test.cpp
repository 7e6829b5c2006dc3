// Who owns what after creations, updates and applies, and what server-side apply makes of an object.
#include "api/apply/field_manager.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/apply/typed.h"

using namespace kubemu::api;

namespace {

FieldManager manager_of(const char* type, const char* version, const char* kind, const char* name) {
    return FieldManager({*find_type(type),
                         version,
                         kind,
                         {},
                         name,
                         "2026-01-02T03:04:05Z",
                         {},
                         reset_fields({}, {}, {}, false)});
}

Json config_map(Json data) {
    return {{"kind", "ConfigMap"},
            {"apiVersion", "v1"},
            {"metadata", {{"name", "c"}}},
            {"data", std::move(data)}};
}

FieldManager for_config_maps(const char* name) {
    return manager_of("core/v1.ConfigMap", "v1", "ConfigMap", name);
}

const Json nothing = {{"kind", "ConfigMap"}, {"apiVersion", "v1"}};

// The fields of one manager, or null.
Json fields_of(const Json& object, std::string_view manager) {
    const Json* entries = find(object, {"metadata", "managedFields"});
    if (entries == nullptr) return {};
    for (const Json& entry : *entries) {
        if (entry.at("manager") == manager) return entry.at("fieldsV1");
    }
    return {};
}

// As the server would store it.
Json stored(Json object) {
    object["metadata"]["uid"] = "u";
    return object;
}

}  // namespace

TEST_CASE("a creation owns what it sets, containers that it made included") {
    Json object = config_map({{"k", "1"}});
    for_config_maps("x").update(nothing, object);
    CHECK(fields_of(object, "x") == Json::parse(R"({"f:data":{".":{},"f:k":{}}})"));
}

TEST_CASE("an update takes over what it changes and gives up what it removes") {
    Json object = config_map({{"k", "1"}, {"l", "1"}, {"m", "1"}});
    for_config_maps("x").update(nothing, object);
    const Json live = stored(object);
    Json changed = live;
    changed["data"]["k"] = "2";
    changed["data"].erase("m");
    for_config_maps("y").update(live, changed);
    CHECK(fields_of(changed, "x") == Json::parse(R"({"f:data":{".":{},"f:l":{}}})"));
    CHECK(fields_of(changed, "y") == Json::parse(R"({"f:data":{"f:k":{}}})"));
}

TEST_CASE("applying less removes what nobody else owns") {
    const auto first = for_config_maps("a").apply(nothing, config_map({{"k", "1"}, {"l", "2"}}), false);
    REQUIRE(first);
    Json live = stored(*first);
    Json updated = live;
    updated["data"]["n"] = "other";
    for_config_maps("u").update(live, updated);
    const auto second = for_config_maps("a").apply(updated, config_map({{"k", "1"}}), false);
    REQUIRE(second);
    CHECK(second->at("data") == Json{{"k", "1"}, {"n", "other"}});
    CHECK(fields_of(*second, "a") == Json::parse(R"({"f:data":{"f:k":{}}})"));
}

TEST_CASE("conflicts name managers and fields; force takes the fields over") {
    const auto first = for_config_maps("team-a").apply(nothing, config_map({{"k", "1"}, {"l", "1"}}), false);
    REQUIRE(first);
    const Json live = stored(*first);
    const auto refused = for_config_maps("team-b").apply(live, config_map({{"k", "2"}, {"l", "2"}}), false);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == 409);
    CHECK(refused.error()->message ==
          "Apply failed with 2 conflicts: conflicts with \"team-a\":\n- .data.k\n- .data.l");
    REQUIRE(refused.error()->causes.size() == 2);
    CHECK(refused.error()->causes[0].field == ".data.k");
    const auto forced = for_config_maps("team-b").apply(live, config_map({{"k", "2"}}), true);
    REQUIRE(forced);
    CHECK(fields_of(*forced, "team-a") == Json::parse(R"({"f:data":{"f:l":{}}})"));
    CHECK(fields_of(*forced, "team-b") == Json::parse(R"({"f:data":{"f:k":{}}})"));
}

TEST_CASE("an empty list or map that is applied is a value, although nothing of it is stored") {
    const auto account = [](Json secrets, Json labels) {
        Json object = {{"kind", "ServiceAccount"}, {"apiVersion", "v1"}, {"metadata", {{"name", "s"}}}, {"imagePullSecrets", std::move(secrets)}};
        object["metadata"]["labels"] = std::move(labels);
        return object;
    };
    const Json none = {{"kind", "ServiceAccount"}, {"apiVersion", "v1"}};
    const auto by = [](const char* name) { return manager_of("core/v1.ServiceAccount", "v1", "ServiceAccount", name); };
    const auto first = by("a").apply(none, account(Json::parse(R"([{"name":"p"}])"), Json::object()), false);
    REQUIRE(first);
    Json live = stored(*first);
    live["metadata"].erase("labels");
    // The atomic list becomes another one, and the map has an owner although it is not there.
    const auto refused = by("b").apply(live, account(Json::array(), Json::object()), false);
    REQUIRE_FALSE(refused);
    CHECK(refused.error()->message ==
          "Apply failed with 2 conflicts: conflicts with \"a\":\n- .imagePullSecrets\n- .metadata.labels");
    const auto null = by("b").apply(live, account(Json::parse(R"([{"name":"p"}])"), nullptr), false);
    REQUIRE_FALSE(null);
    CHECK(null.error()->causes[0].field == ".metadata.labels");
    const auto forced = by("b").apply(live, account(Json::array(), Json::object()), true);
    REQUIRE(forced);
    CHECK(fields_of(*forced, "a").is_null());
    CHECK(fields_of(*forced, "b") == Json::parse(R"({"f:imagePullSecrets":{},"f:metadata":{"f:labels":{}}})"));
}

TEST_CASE("conflicts name what stands at a place before what lies below its neighbours") {
    const FieldManager first = manager_of("core/v1.Service", "v1", "Service", "a"), second = manager_of("core/v1.Service", "v1", "Service", "b");
    const auto service = [](int target, const char* app) {
        return Json{{"kind", "Service"}, {"apiVersion", "v1"}, {"metadata", {{"name", "s"}}},
                    {"spec", {{"ports", {{{"port", 80}, {"targetPort", target}}}}, {"selector", {{"app", app}}}}}};
    };
    const auto applied = first.apply({{"kind", "Service"}, {"apiVersion", "v1"}}, service(1, "x"), false);
    REQUIRE(applied);
    const auto refused = second.apply(stored(*applied), service(2, "y"), false);
    REQUIRE_FALSE(refused);
    CHECK(refused.error()->causes[0].field == ".spec.selector");
    CHECK(refused.error()->causes[1].field == ".spec.ports[port=80,protocol=\"TCP\"].targetPort");
}

TEST_CASE("lists with keys are merged item by item; a default completes a key") {
    const FieldManager manager = manager_of("core/v1.Service", "v1", "Service", "a");
    const Json empty = {{"kind", "Service"}, {"apiVersion", "v1"}};
    const Json patch = {
        {"kind", "Service"}, {"apiVersion", "v1"}, {"spec", {{"ports", {{{"port", 80}}, {{"port", 443}}}}}}};
    const auto object = manager.apply(empty, patch, false);
    REQUIRE(object);
    CHECK(
        fields_of(*object, "a").at("f:spec").at("f:ports").contains("k:{\"port\":80,\"protocol\":\"TCP\"}"));
    Json fewer = patch;
    fewer["spec"]["ports"].erase(0);
    const auto less = manager.apply(stored(*object), fewer, false);
    REQUIRE(less);
    CHECK(less->at("spec").at("ports").size() == 1);
    CHECK(less->at("spec").at("ports")[0].at("port") == 443);
}

TEST_CASE("a configuration that does not fit its type is refused in full") {
    Json patch = config_map({{"k", 1}});
    patch["bogus"] = 1;
    const auto refused = for_config_maps("a").apply(nothing, patch, false);
    REQUIRE_FALSE(refused);
    CHECK(refused.error()->message.find(".bogus: field not declared in schema") != std::string::npos);
    CHECK(refused.error()->message.find(".data.k: expected string") != std::string::npos);
    Json other = config_map({});
    other["kind"] = "Secret";
    CHECK(for_config_maps("a").apply(nothing, other, false).error()->message ==
          "invalid object type: /v1, Kind=Secret");
}

TEST_CASE("at most ten updaters are told apart") {
    FieldOwners owners;
    for (int i = 0; i < 13; ++i) {
        owners.push_back({"m" + std::to_string(i),
                          false,
                          "v1",
                          {},
                          "2026-01-01T00:00:" + std::to_string(10 + i) + "Z",
                          FieldSet::of_path({"f:data", "f:" + std::to_string(i)})});
    }
    cap_updaters(owners);
    REQUIRE(owners.size() == 10);
    CHECK(owners[0].manager == "ancient-changes");
    CHECK(owners[0].fields.has({"f:data", "f:0"}));
    CHECK(owners[0].fields.has({"f:data", "f:3"}));
    CHECK(owners[1].manager == "m4");
}

TEST_CASE("kubectl takes over what it applied from the client's side, and only what is still so") {
    Json object = config_map({{"k", "1"}, {"old", "1"}});
    const std::string note = "kubectl.kubernetes.io/last-applied-configuration";
    object["metadata"]["annotations"][note] = config_map({{"k", "1"}, {"old", "1"}}).dump();
    for_config_maps("kubectl-client-side-apply").update(nothing, object);
    const Json live = stored(object);
    const auto taken = for_config_maps("kubectl").apply(live, config_map({{"k", "2"}}), false);
    REQUIRE(taken);
    CHECK(taken->at("data").at("k") == "2");
    // The annotation says what was applied last, whichever way.
    CHECK(Json::parse(taken->at("metadata").at("annotations").at(note).get<std::string>()) ==
          config_map({{"k", "2"}}));
    CHECK_FALSE(for_config_maps("someone").apply(live, config_map({{"k", "2"}}), false));
    Json edited = live;
    edited["data"]["k"] = "3";
    for_config_maps("editor").update(live, edited);
    CHECK_FALSE(for_config_maps("kubectl").apply(edited, config_map({{"k", "2"}}), false));
}

TEST_CASE("ownership can be given up; the first apply after that leaves the rest to those before") {
    Json object = config_map({{"k", "1"}});
    for_config_maps("x").update(nothing, object);
    Json live = stored(object), given_up = live;
    given_up["metadata"]["managedFields"] = Json::array({Json::object()});
    for_config_maps("y").update(live, given_up);
    CHECK_FALSE(given_up.at("metadata").contains("managedFields"));
    Json later = given_up;
    later["data"]["k"] = "2";
    for_config_maps("z").update(given_up, later);
    CHECK_FALSE(later.at("metadata").contains("managedFields"));
    const auto applied = for_config_maps("a").apply(later, config_map({{"k", "2"}}), false);
    REQUIRE(applied);
    CHECK(fields_of(*applied, "before-first-apply") == Json::parse(R"({"f:data":{".":{},"f:k":{}}})"));
    CHECK(fields_of(*applied, "a") == Json::parse(R"({"f:data":{"f:k":{}}})"));
}

TEST_CASE("a client that does not know managedFields does not remove them") {
    Json object = config_map({{"k", "1"}});
    for_config_maps("x").update(nothing, object);
    const Json live = stored(object);
    Json sent = live;
    sent["metadata"].erase("managedFields");
    for_config_maps("y").update(live, sent);
    CHECK(sent.at("metadata").at("managedFields") == live.at("metadata").at("managedFields"));
}

TEST_CASE("merged lists keep both orders, and the applied one where they differ") {
    const TypeInfo& pods = *find_type("core/v1.Pod");
    const auto pod = [](std::vector<std::string> names) {
        Json containers = Json::array();
        for (const std::string& name : names) containers.push_back({{"name", name}});
        return Json{{"spec", {{"containers", std::move(containers)}}}};
    };
    const auto merged = [&](std::vector<std::string> live, std::vector<std::string> applied) {
        std::string order;
        const Json result = merge_applied(pod(std::move(live)), pod(std::move(applied)), pods);
        for (const Json& container : result.at("spec").at("containers"))
            order += container.at("name").get<std::string>();
        return order;
    };
    CHECK(merged({"a", "b"}, {"b", "a"}) == "ba");
    CHECK(merged({"a", "b"}, {"c", "b"}) == "acb");
    CHECK(merged({"a", "b", "c"}, {"b"}) == "abc");
    CHECK(merged({}, {"x", "y"}) == "xy");
    CHECK(merged({"a"}, {}) == "a");
}

TEST_CASE("owners that differ in their times only") {
    const auto owned = [](const char* manager, const char* time) {
        return Json{{"metadata", {{"managedFields", {{{"manager", manager}, {"time", time}}}}}}};
    };
    CHECK(only_times_differ(owned("m", "t2"), owned("m", "t1")));
    CHECK_FALSE(only_times_differ(owned("m", "t1"), owned("m", "t1")));
    CHECK_FALSE(only_times_differ(owned("n", "t2"), owned("m", "t1")));
    CHECK_FALSE(only_times_differ(Json::object(), owned("m", "t1")));
}

TEST_CASE("the manager of a User-Agent") {
    CHECK(manager_of_agent("kubectl/v1.33.0 (linux/amd64)") == "kubectl");
    CHECK(manager_of_agent("curl") == "curl");
    CHECK(manager_of_agent("a\tb/1") == "ab");
    CHECK(manager_of_agent(std::string(300, 'x')) == std::string(manager_bytes_max, 'x'));
}

TEST_CASE("who owned parts of a list that is atomic now owns it as a whole") {
    Json live = stored(Json::parse(R"({"kind":"ServiceAccount","apiVersion":"v1","metadata":{"name":"s","managedFields":[{"manager":"a",
        "operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","time":"2025-01-01T00:00:00Z","fieldsV1":
        {"f:imagePullSecrets":{"k:{\"name\":\"x\"}":{".":{},"f:name":{}}},"f:automountServiceAccountToken":{}}}]},
        "imagePullSecrets":[{"name":"x"}],"automountServiceAccountToken":true})"));
    Json changed = live;
    changed["automountServiceAccountToken"] = false;
    manager_of("core/v1.ServiceAccount", "v1", "ServiceAccount", "u").update(live, changed);
    CHECK(fields_of(changed, "a") == Json::parse(R"({"f:imagePullSecrets":{}})"));
    // An apply that leaves the list out takes it away.
    const auto applied = manager_of("core/v1.ServiceAccount", "v1", "ServiceAccount", "a")
                             .apply(live, {{"kind", "ServiceAccount"}, {"apiVersion", "v1"}, {"automountServiceAccountToken", true}}, false);
    REQUIRE(applied);
    CHECK(!applied->contains("imagePullSecrets"));
}

TEST_CASE("items that stand twice in a live list are owned as they are, and replaced by an applied one") {
    const FieldManager manager = manager_of("core/v1.Pod", "v1", "Pod", "a");
    Json pod = Json::parse(R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","env":[
        {"name":"X","value":"1"},{"name":"X","value":"2"},{"name":"Y","value":"3"}]}]}})");
    Json created = pod;
    manager_of("core/v1.Pod", "v1", "Pod", "u").update({{"kind", "Pod"}, {"apiVersion", "v1"}}, created);
    const Json patch = Json::parse(R"({"kind":"Pod","apiVersion":"v1","spec":{"containers":[{"name":"c","env":[{"name":"X","value":"9"}]}]}})");
    const auto applied = manager.apply(stored(created), patch, true);
    REQUIRE(applied);
    CHECK(applied->at("spec").at("containers")[0].at("env") == Json::parse(R"([{"name":"X","value":"9"},{"name":"Y","value":"3"}])"));
    CHECK(field_set_of(pod, *find_type("core/v1.Pod")).tree().at("f:spec").at("f:containers").at("k:{\"name\":\"c\"}").at("f:env") ==
          Json::parse(R"J({"k:{\"name\":\"X\"}":{},"k:{\"name\":\"Y\"}":{".":{},"f:name":{},"f:value":{}}})J"));
}

TEST_CASE("owners whose fields are no tree of objects are not taken") {
    Json live = stored(config_map({{"k", "1"}}));
    for_config_maps("x").update(nothing, live);
    Json changed = live;
    changed["metadata"]["managedFields"] = Json::parse(R"([{"manager":"z","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1",
        "fieldsV1":{"f:data":7}}])");
    for_config_maps("x").update(live, changed);
    CHECK(fields_of(changed, "z").is_null());
}

TEST_CASE("an update that leaves every field with its owner comes to the same as one that takes the owners apart") {
    // A client that sends no managedFields is answered the long way.
    int kept = 0, moved = 0;
    std::uint32_t random = 1;
    const auto below = [&random](std::uint32_t limit) { return (random = random * 1664525 + 1013904223) / 65536 % limit; };
    const char* const names[] = {"a", "b", "c"};
    Json live = Json::parse(R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}})");
    manager_of("core/v1.Pod", "v1", "Pod", "a").update({{"kind", "Pod"}, {"apiVersion", "v1"}}, live);
    live = stored(std::move(live));
    for (int step = 0; step < 600; ++step) {
        const std::string now = "2026-01-02T03:" + std::to_string(10 + step / 60) + ":" + std::to_string(10 + step % 50) + "Z";
        const FieldManager manager({*find_type("core/v1.Pod"), "v1", "Pod", below(3) == 0 ? "status" : "", names[below(3)], now, {}, reset_fields({}, {}, {}, false)});
        Json object = live;
        for (unsigned changes = 1 + below(2); changes > 0; --changes) {
            const std::string value = std::to_string(below(1000));
            switch (below(7)) {
                case 0: object["metadata"]["labels"][names[below(3)]] = value; break;
                case 1: erase(ensure(object, {"metadata", "labels"}), names[below(3)]); break;
                case 2: object["spec"]["containers"][0]["image"] = "image:" + value; break;
                case 3: object["status"]["conditions"] = {{{"type", "Ready"}, {"status", below(2) == 0 ? "True" : "False"}, {"lastTransitionTime", now}}}; break;
                case 4: object["status"]["podIP"] = "10.0.0." + value; break;
                case 5: object["metadata"]["generation"] = step; break;
                default: object["spec"]["activeDeadlineSeconds"] = 1 + below(3); break;
            }
        }
        Json plain = object;
        plain["metadata"].erase("managedFields");
        manager.update(live, object);
        manager.update(live, plain);
        CAPTURE(step);
        REQUIRE(object == plain);
        ((fields_of(object, "a") == fields_of(live, "a") && fields_of(object, "b") == fields_of(live, "b") &&
          fields_of(object, "c") == fields_of(live, "c"))
             ? kept
             : moved) += 1;
        live = std::move(object);
    }
    CHECK(kept > 100);
    CHECK(moved > 100);
}

TEST_CASE("what a part of an object may change is what its writers come to own") {
    const auto resets = [](const char* group, const char* resource, const char* subresource) {
        return reset_fields(group, resource, subresource, true).tree();
    };
    constexpr const char* requests = "certificatesigningrequests";
    CHECK(resets("certificates.k8s.io", requests, "") == Json::parse(R"({"f:spec":{},"f:status":{}})"));
    CHECK(resets("certificates.k8s.io", requests, "status") == Json::parse(R"({"f:spec":{},"f:status":{"f:conditions":{}}})"));
    CHECK(resets("certificates.k8s.io", requests, "approval") ==
          Json::parse(R"({"f:spec":{},"f:status":{"f:certificate":{}}})"));
    CHECK(resets("", "namespaces", "finalize") == Json::parse(R"({"f:status":{}})"));
    CHECK(resets("resource.k8s.io", "resourceclaims", "status") == Json::parse(R"({"f:metadata":{},"f:spec":{}})"));
    CHECK(resets("apps", "daemonsets", "status") == Json::parse(R"({"f:spec":{}})"));
}
