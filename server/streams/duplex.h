// Duplex: the protocol of a connection that both sides send on, after the upgrade. Sans I/O: server/upgrade moves the
// bytes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/clock.h"

namespace kubemu::server {

// Used from one thread at a time, except that the wake function may be called from any thread.
class Duplex {
  public:
    virtual ~Duplex() = default;

    virtual void take(std::string_view bytes) = 0;
    // More should not be read from the client for the moment.
    virtual bool full() const { return false; }

    struct Step {
        bool more = false;   // call again at once
        bool ended = false;  // the connection is to be closed when all is written
        std::optional<Time> wake_at{};  // by the machine's clock
    };
    // Appends what is to be sent.
    virtual Step advance(std::string& out) = 0;
    // Called when advance() is worth calling again. Set once, before the first advance().
    virtual void on_wake(std::function<void()> wake) = 0;
};

// Bytes that a client may send ahead of what reads them.
inline constexpr std::size_t unread_bytes_max = 1024 * 1024;

}  // namespace kubemu::server
