// HttpServer: the API over HTTP/1.1, one strand a connection, on a pool of threads of its own.
//
// PIMPL: Asio and Beast stay in http_server.cpp and session.cpp, which are slow to compile.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "server/dispatcher.h"
#include "server/filters.h"
#include "server/tls.h"
#include "storage/base/clock.h"
#include "storage/base/limits.h"
#include "storage/base/result.h"

namespace kubemu::server {

class HttpServer {
  public:
    struct Options {
        std::string address = "127.0.0.1";
        std::uint16_t port = 0;
        // The same API over HTTPS; null: it is not served.
        Tls* tls = nullptr;
        std::string tls_address = "127.0.0.1";
        std::uint16_t tls_port = 0;
        int threads = 2;
        bool log_requests = false;
        const api::AuditLog* audit = nullptr;  // see SessionContext
        Dispatcher& dispatcher;
        const Filters& filters;
        const Clock& clock;
        Duration slow_reader_timeout = limits::slow_watcher_timeout;  // see SessionContext
    };
    // The error is a sentence for the terminal.
    static Result<std::unique_ptr<HttpServer>, std::string> listen(Options options);
    ~HttpServer();

    std::uint16_t port() const;
    std::uint16_t tls_port() const;  // 0 without HTTPS
    // Accepts connections until stop(); returns at once.
    void start();
    // Runs until SIGINT or SIGTERM arrives; returns the signal.
    int wait_for_signal();
    // Ends open watches and connections and joins the threads; within a second.
    void stop();

  private:
    struct Impl;
    explicit HttpServer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace kubemu::server
