// NodeImages: which images the simulated nodes have pulled, as their containers find them and as status.images lists them.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "api/values/object.h"
#include "controllers/kubelet/image_catalog.h"

namespace kubemu::controllers::kubelet {

class NodeImages {
  public:
    // `came` hears of nodes that have an image more.
    explicit NodeImages(std::function<void(const std::string& node)> came) : came_(std::move(came)) {}

    bool has(const std::string& node, const ImageReference& image) const;
    void add(const std::string& node, const ImageReference& image);
    // What a Node's status says is there.
    void learn(const std::string& node, const api::Json& status_images);
    void forget(const std::string& node) { by_node_.erase(node); }
    // Brings status.images up to date: what is there already stays, the largest first, 50 at most
    // (pkg/kubelet/nodestatus/setters.go Images, --node-status-max-images).
    void list(const std::string& node, api::Json& status_images) const;

  private:
    std::function<void(const std::string& node)> came_;
    std::map<std::string, std::set<std::string>> by_node_;  // full references
};

}  // namespace kubemu::controllers::kubelet
