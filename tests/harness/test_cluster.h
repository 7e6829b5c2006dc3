// TestCluster: a store in memory, a simulated clock, the registry and the controllers that a test chooses, driven by
// hand on one thread: a run is a function of its inputs.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "api/kind_registry.h"
#include "api/registry.h"
#include "controllers/runtime/controller.h"
#include "controllers/runtime/manager.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/store.h"

namespace kubemu::tests {

class TestCluster {
  public:
    TestCluster();
    ~TestCluster();

    // TestCluster cluster; cluster.add<DeploymentController>().add<ReplicaSetController>();
    template <class C, class... Arguments>
    TestCluster& add(Arguments&&... arguments) {
        manager_->add(std::make_unique<C>(*manager_, std::forward<Arguments>(arguments)...));
        return *this;
    }

    // Until nobody has anything to do before the next timer.
    void settle();
    // Turns the clock, stopping at every timer on the way to let everybody work.
    void advance(Duration by);

    // As a user would. `object` is JSON text or a document; resource names the kind ("pods", "deployments.apps").
    // A write that is refused fails the test with the server's message.
    api::Json create(std::string_view resource, const api::Json& object);
    api::Json create(std::string_view resource, std::string_view json);
    api::Json create(std::string_view resource, const char* json);
    api::Json get(std::string_view resource, std::string_view name, std::string_view namespace_name = "default");
    bool exists(std::string_view resource, std::string_view name, std::string_view namespace_name = "default");
    // All of one namespace ("" for cluster-wide kinds and for all), in the order of keys.
    std::vector<api::Json> list(std::string_view resource, std::string_view namespace_name = "default");
    // Merge patch (RFC 7386) of the object or of a subresource.
    void patch(std::string_view resource, std::string_view name, std::string_view merge_patch,
               std::string_view subresource = {}, std::string_view namespace_name = "default");
    void remove(std::string_view resource, std::string_view name, const api::DeleteOptions& options = {},
                std::string_view namespace_name = "default");

    // Marks pods Running and Ready, the way a kubelet would, and gives them an address and, when they have none, a
    // node ("node-0"). Pods for which `which` is false, that are finished or are ready already are left alone.
    // Deleted pods that wait for their node are removed. Returns how many pods changed.
    int run_pods(const std::function<bool(const api::Json&)>& which = {});
    // settle() and run_pods() until nothing changes.
    void settle_with_pods(const std::function<bool(const api::Json&)>& which = {});
    // A pod's status: phase, and whether it is ready.
    void set_pod(std::string_view name, std::string_view phase, bool ready, std::string_view namespace_name = "default");

    // "Normal SuccessfulCreate ReplicaSet/web: Created pod: web-x" a line, in the order of recording.
    std::vector<std::string> events(std::string_view namespace_name = "default");

    SimClock& clock() { return clock_; }
    Random& random() { return random_; }
    storage::Store& store() { return *store_; }
    api::Registry& registry() { return *registry_; }
    api::KindRegistry& kinds() { return kinds_; }
    controllers::Manager& manager() { return *manager_; }
    api::Client& client() { return *client_; }
    const api::KindSpec& kind(std::string_view resource) const { return kinds_.stored(resource); }

  private:
    SimClock clock_;
    Random random_;
    api::KindRegistry kinds_;
    std::unique_ptr<storage::Store> store_;
    std::unique_ptr<api::Registry> registry_;
    std::unique_ptr<api::Client> client_;
    std::unique_ptr<controllers::Manager> manager_;
    int next_address_ = 1;
};

}  // namespace kubemu::tests
