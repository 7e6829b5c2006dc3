// Which Stage comes next for an object, and when.
#include "controllers/kubelet/stages/engine.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kind_registry.h"
#include "api/registry.h"
#include "api/values/time.h"
#include "controllers/kubelet/stages/definition.h"
#include "controllers/runtime/owner_refs.h"
#include "storage/base/log.h"

namespace kubemu::controllers::stages {

using api::Json;
using api::string_at;

StageEngine::StageEngine(Options options)
    : options_(std::move(options)), events_(options_.manager, options_.client, "kwok") {
    names_ = functions_for(Json::object());
    if (options_.manager.registry().kinds().find_stored(stage_resource) != nullptr) watch_stages();
    options_.manager.on_kind_change([this](const std::string& resource, const api::KindSpec* kind) {
        if (resource != stage_resource) return;
        if (kind != nullptr) {
            watch_stages();
            return;
        }
        watching_ = false;
        resources_.clear();
        const auto gone = std::move(stages_);
        stages_.clear();
        jobs_.clear();
        for (const auto& [name, stages] : gone) options_.stages_changed(name);
    });
}

StageEngine::~StageEngine() = default;

void StageEngine::watch_stages() {
    if (watching_) return;
    watching_ = true;
    options_.manager.informer(stage_resource).subscribe([this](const api::Informer::Change& change) {
        stage_changed(change);
    });
}

void StageEngine::stage_changed(const api::Informer::Change& change) {
    const std::string name = api::view_of(change.after ? *change.after : *change.before).name;
    std::set<std::string> touched;
    if (const auto known = resources_.find(name); known != resources_.end()) {
        Stages& list = stages_[known->second];
        list.erase(
            std::remove_if(list.begin(), list.end(), [&](const Stage& stage) { return stage.name == name; }),
            list.end());
        touched.insert(known->second);
        if (list.empty()) stages_.erase(known->second);
        resources_.erase(known);
    }
    if (change.after) {
        const api::KindSpec& kind = options_.manager.registry().kinds().stored(stage_resource);
        auto stage = Stage::read(options_.client.document(*change.after), names_);
        std::string wrong = stage ? std::string() : stage.error();
        if (stage) {
            const std::string version = stage->api_version;
            const std::size_t slash = version.find('/');
            const std::string group = slash == std::string::npos ? "" : version.substr(0, slash);
            const api::KindSpec* about = options_.manager.registry().kinds().by_kind(
                group, slash == std::string::npos ? version : version.substr(slash + 1), stage->kind);
            if (about == nullptr || !about->can(api::Verb::watch)) {
                wrong = "no matches for kind \"" + stage->kind + "\" in version \"" + version + "\"";
            } else {
                const std::string resource(about->resource);
                Stages& list = stages_[resource];
                const auto place = std::upper_bound(
                    list.begin(), list.end(), name,
                    [](const std::string& wanted, const Stage& there) { return wanted < there.name; });
                list.insert(place, std::move(*stage));
                resources_[name] = resource;
                touched.insert(resource);
            }
        }
        if (!wrong.empty()) {
            log_line(LogLevel::warning, "a Stage cannot be used", {{"stage", name}, {"why", wrong}});
            events_.warning(object_reference(kind, *change.after), "InvalidStage", wrong);
        }
    }
    if (!touched.empty()) jobs_.clear();
    for (const std::string& resource : touched) options_.stages_changed(resource);
}

const StageEngine::Stages* StageEngine::stages_of(std::string_view resource) const {
    const auto found = stages_.find(resource);
    return found == stages_.end() ? nullptr : &found->second;
}

bool StageEngine::has_stages(std::string_view resource) const {
    return stages_of(resource) != nullptr;
}

// A pod that a Stage started says so by running without a container's id, which no kubelet leaves out; that
// outlives this process.
bool StageEngine::is_driven(const Json& object) const {
    if (driven_.count(std::string(api::uid_of(object))) > 0) return true;
    const Json& statuses = api::array_at(object, {"status", "containerStatuses"});
    return !string_at(object, {"status", "podIP"}).empty() &&
           std::any_of(statuses.begin(), statuses.end(), [](const Json& status) {
               return api::find(status, {"state", "waiting"}) == nullptr &&
                      string_at(status, {"containerID"}).empty();
           });
}

Json StageEngine::document(const api::KindSpec& kind, const storage::Record& record) const {
    Json object = options_.manager.registry().document_as(record, kind);
    object["apiVersion"] = kind.group.empty() ? std::string(kind.version)
                                              : std::string(kind.group) + "/" + std::string(kind.version);
    object["kind"] = std::string(kind.kind);
    return object;
}

bool StageEngine::drives(const api::KindSpec& kind, const storage::Record& record) const {
    const Stages* stages = stages_of(kind.resource);
    if (stages == nullptr) return false;
    const Json object = document(kind, record);
    return is_driven(object) || std::any_of(stages->begin(), stages->end(),
                                            [&](const Stage& stage) { return stage.matches(object); });
}

const Stage* StageEngine::choose(const Stages& stages, const Json& object) {
    struct Candidate {
        const Stage* stage;
        std::optional<std::int64_t> weight;
    };
    std::vector<Candidate> found;
    for (const Stage& stage : stages)
        if (stage.matches(object)) found.push_back({&stage, std::nullopt});
    if (found.size() < 2) return found.empty() ? nullptr : found.front().stage;
    Random& random = options_.manager.random();
    std::int64_t total = 0;
    for (Candidate& each : found) {
        each.weight = each.stage->weight(object);
        total += std::max<std::int64_t>(0, each.weight.value_or(0));
    }
    if (total == 0) {
        // Those that name a weight come before those whose expression has none to give.
        std::vector<Candidate> named;
        std::copy_if(found.begin(), found.end(), std::back_inserter(named),
                     [](const Candidate& each) { return each.weight.has_value(); });
        if (!named.empty()) found = std::move(named);
        return found[random.below("stage", found.size())].stage;
    }
    auto off = static_cast<std::int64_t>(random.below("stage", static_cast<std::uint64_t>(total)));
    for (const Candidate& each : found) {
        if (each.weight.value_or(0) <= 0) continue;
        off -= *each.weight;
        if (off < 0) return each.stage;
    }
    return found.back().stage;
}

std::optional<api::ApiResult<Requeue>> StageEngine::sync(const api::KindSpec& kind,
                                                         const storage::RecordPtr& record) {
    const Stages* stages = stages_of(kind.resource);
    if (stages == nullptr) return std::nullopt;
    const Json object = document(kind, *record);
    const std::string uid(api::uid_of(object));
    Job& job = jobs_[uid];
    const Stage* stage = nullptr;
    if (job.revision == record->revision) {
        if (job.stage.empty())
            return is_driven(object) ? std::optional<api::ApiResult<Requeue>>(Requeue{}) : std::nullopt;
        for (const Stage& each : *stages)
            if (each.name == job.stage) stage = &each;
    } else {
        stage = choose(*stages, object);
        job = Job{record->revision, stage == nullptr ? std::string() : stage->name, now(), 0};
        if (stage != nullptr) {
            driven_.insert(uid);
            const Stage::Delay delay = stage->delay(object, now());
            Duration wait = delay.least;
            if (delay.most > delay.least)
                wait += Duration(static_cast<Duration::rep>(options_.manager.random().below(
                    "stage", static_cast<std::uint64_t>((delay.most - delay.least).count()))));
            job.due = now() + std::max(wait, Duration::zero());
        }
    }
    if (stage == nullptr) {
        job.stage.clear();
        return is_driven(object) ? std::optional<api::ApiResult<Requeue>>(Requeue{}) : std::nullopt;
    }
    if (now() < job.due) return Requeue{job.due - now()};
    return play(kind, *record, object, *stage, job);
}

api::ApiResult<Requeue> StageEngine::play(const api::KindSpec& kind, const storage::Record& record,
                                          const Json& object, const Stage& stage, Job& job) {
    bool removed = false;
    for (; job.step < stage.steps.size(); ++job.step) {
        const StageStep& step = stage.steps[job.step];
        if (removed && !step.event) continue;
        const auto done = play_step(kind, object, step);
        removed = removed || step.remove;
        if (done || done.error().code() == 404) continue;
        // What is refused for what it says will be refused again: the next change of the object may mend it.
        const int code = done.error().code();
        log_line(LogLevel::warning, "a Stage was refused",
                 {{"stage", stage.name}, {"object", record.key}, {"why", done.error()->message}});
        if (code >= 400 && code < 500 && code != 409 && code != 429) break;
        return done.error();
    }
    job.stage.clear();
    return Requeue{};
}

void StageEngine::forget(const api::KindSpec&, const storage::Record& record) {
    const std::string& uid = api::view_of(record).uid;
    jobs_.erase(uid);
    driven_.erase(uid);
    if (const auto ip = pod_ips_.find(uid); ip != pod_ips_.end()) {
        options_.give_ip(ip->second);
        pod_ips_.erase(ip);
    }
}

}  // namespace kubemu::controllers::stages
