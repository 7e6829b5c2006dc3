// StageEngine: moves objects through the Stages that users supply (sigs.k8s.io/kwok/pkg/kwok/controllers).
//
// An object that some Stage has matched is driven by Stages for the rest of its life, and by nothing else;
// one that none ever matched is left to the built-in behaviour. Each change of the object looks for the next
// Stage anew: among those that match one is drawn by weight, and it comes after its delay.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "api/client.h"
#include "controllers/kubelet/stages/stage.h"
#include "controllers/runtime/controller.h"

namespace kubemu::controllers::stages {

class StageEngine {
  public:
    struct Options {
        Manager& manager;
        api::Client& client;
        std::function<std::string(const std::string& node)> node_ip;
        std::function<std::string(const std::string& node)> take_ip;  // a free address of the node's range
        std::function<void(const std::string& ip)> give_ip;
        // All objects of this resource have to be looked at: its Stages changed.
        std::function<void(const std::string& resource)> stages_changed;
    };
    explicit StageEngine(Options options);
    ~StageEngine();

    bool has_stages(std::string_view resource) const;
    // Whether Stages drive this object now, or would.
    bool drives(const api::KindSpec& kind, const storage::Record& record) const;
    // Does what is due for the object. Nothing: it is not driven by Stages.
    std::optional<api::ApiResult<Requeue>> sync(const api::KindSpec& kind, const storage::RecordPtr& record);
    // The object is gone.
    void forget(const api::KindSpec& kind, const storage::Record& record);

  private:
    struct Job {
        storage::Revision revision = 0;
        std::string stage;  // empty: nothing is to be done until the object changes
        Time due{};
        std::size_t step = 0;  // done before it
    };
    using Stages = std::vector<Stage>;

    Time now() const { return options_.manager.clock().now(); }
    void watch_stages();
    void stage_changed(const api::Informer::Change& change);
    const Stages* stages_of(std::string_view resource) const;
    bool is_driven(const api::Json& object) const;
    api::Json document(const api::KindSpec& kind, const storage::Record& record) const;
    const Stage* choose(const Stages& stages, const api::Json& object);
    api::ApiResult<Requeue> play(const api::KindSpec& kind, const storage::Record& record,
                                 const api::Json& object, const Stage& stage, Job& job);
    api::ApiResult<bool> play_step(const api::KindSpec& kind, const api::Json& object, const StageStep& step);
    api::ApiResult<bool> patch(const api::KindSpec& kind, const api::Json& object,
                               const StageStep::Patch& patch);
    api::ApiResult<bool> apply(const api::Json& object, const StageStep::Patch& patch);
    api::ApiResult<bool> change_finalizers(const api::KindSpec& kind, const api::Json& object,
                                           const StageStep::Finalizers& finalizers);
    api::Client client_of(const StageStep::Patch& patch) const;
    TemplateFunctions functions_for(const api::Json& object);
    std::string pod_ip(const api::Json& pod);

    Options options_;
    EventRecorder events_;
    bool watching_ = false;
    std::map<std::string, Stages, std::less<>> stages_;     // by resource, in the order of names
    std::map<std::string, std::string> resources_;          // of each Stage, by its name
    std::unordered_map<std::string, Job> jobs_;             // by uid
    std::unordered_set<std::string> driven_;                // uids
    std::unordered_map<std::string, std::string> pod_ips_;  // by uid
    TemplateFunctions names_;                               // what templates may name
};

}  // namespace kubemu::controllers::stages
