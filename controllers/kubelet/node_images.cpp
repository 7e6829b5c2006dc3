// References by node, and their entries in a Node's status.
#include "controllers/kubelet/node_images.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace kubemu::controllers::kubelet {

using api::Json;

namespace {

constexpr std::size_t images_max = 50;

// containerd knows an image by its digest and by its tag, in this order.
Json entry_of(const ImageReference& image) {
    Json names = Json::array({image.repository + "@" + image_digest(image)});
    if (!image.tag.empty()) names.push_back(image.repository + ":" + image.tag);
    return {{"names", std::move(names)}, {"sizeBytes", image_bytes(image)}};
}

}  // namespace

bool NodeImages::has(const std::string& node, const ImageReference& image) const {
    const auto found = by_node_.find(node);
    return found != by_node_.end() && found->second.count(image.text()) > 0;
}

void NodeImages::add(const std::string& node, const ImageReference& image) {
    if (by_node_[node].insert(image.text()).second) came_(node);
}

void NodeImages::learn(const std::string& node, const Json& status_images) {
    for (const Json& image : status_images) {
        for (const Json& name : api::array_at(image, {"names"})) {
            const auto reference = name.is_string() ? parse_image(name.get_ref<const std::string&>()) : std::nullopt;
            if (reference) by_node_[node].insert(reference->text());
        }
    }
}

void NodeImages::list(const std::string& node, Json& status_images) const {
    const auto found = by_node_.find(node);
    if (found == by_node_.end()) return;
    if (!status_images.is_array()) status_images = Json::array();
    std::set<std::string> listed;
    for (const Json& image : status_images)
        for (const Json& name : api::array_at(image, {"names"}))
            if (name.is_string()) listed.insert(name.get<std::string>());
    for (const std::string& text : found->second) {
        if (listed.count(text) > 0) continue;
        status_images.push_back(entry_of(*parse_image(text)));
        for (const Json& name : status_images.back()["names"]) listed.insert(name.get<std::string>());
    }
    std::stable_sort(status_images.begin(), status_images.end(), [](const Json& a, const Json& b) {
        return api::int_at(a, {"sizeBytes"}) > api::int_at(b, {"sizeBytes"});
    });
    if (status_images.size() > images_max)
        status_images.erase(status_images.begin() + static_cast<std::ptrdiff_t>(images_max), status_images.end());
}

}  // namespace kubemu::controllers::kubelet
