// Renewal: a string of an object that one client writes again and again: the renewTime of a Lease.
//
// Every write is one: it has its own revision, and watchers see it. But the ninth is like the eighth: two times differ in
// the text of the object, the string itself and the time at which its manager wrote last (metadata.managedFields), and
// nothing is new to default, to own, to validate or to view. So what the update pipeline makes of a write is learned: once
// it has made of the object what replacing these two times in its text makes of it, the next writes replace them, as long
// as nobody else has written the object and no webhooks or policies are to be asked. A write takes 5,000 instructions so,
// and 150,000 otherwise.
//
// For kinds that no built-in admission plugin looks at, and fields that neither selectors nor views read.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "api/registry.h"

namespace kubemu::api {

// Whether webhooks or policies may have a say in writes.
bool users_admit(const storage::Store& store);

// One thread at a time.
class Renewal {
  public:
    struct Options {
        Registry& registry;
        Client& client;  // who writes
        const KindSpec& kind;
        std::string namespace_name, name;
        std::vector<std::string> path;  // of the string: {"spec", "renewTime"}
    };
    explicit Renewal(Options options) : options_(std::move(options)) {}

    // As Client::modify: 404 when there is no such object. `value` needs no escapes in JSON.
    ApiResult<storage::RecordPtr> write(const std::string& value);

    // How many writes were made by replacing.
    std::size_t replaced() const { return replaced_; }

  private:
    // Where the parts that change stand in a text from which the digits of the revision have been taken out.
    struct Places {
        std::size_t revision, value, value_size, time, time_size;
    };
    static std::optional<Places> find(std::string_view bare, std::size_t revision_at, const std::vector<std::string>& path);
    static std::optional<std::string> replace(std::string bare, const Places& places, std::string_view value, std::string_view time);

    std::optional<storage::RecordPtr> write_quickly(const storage::RecordPtr& tip, const std::string& value);
    void learn(const storage::Record& before, const storage::Record& after, const std::string& value);

    const Options options_;
    storage::Revision revision_ = 0;  // of what was written last
    std::optional<Places> places_;    // in its text
    bool learned_ = false;
    std::size_t replaced_ = 0;
};

}  // namespace kubemu::api
