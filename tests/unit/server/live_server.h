// A real listener on 127.0.0.1 with a test handler, and a raw blocking client for it.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "server/http_worker.h"

namespace outcrop::server::testing {

/// Byte i of the generated bodies.
inline char pattern(std::uint64_t i) { return static_cast<char>((i * 2654435761u) >> 13); }

/// Where requests wait until the test lets them go on.
class Gate {
 public:
  Task<> wait();  ///< on the server's thread; at once if the gate is open
  void open();    ///< for all that wait and all that come

 private:
  std::mutex x_mutex;
  bool x_open = false;
  std::vector<Resume<void>> x_waiting;
};

/// Routes: /echo, /sink (count and sum of the body), /ignore (leaves the body), /gen/<n>,
/// /gen-fail/<n> (breaks after half), /throw, /status/<n>, /hold (until the gate opens), /inject,
/// /target. `gate`: outlives the handler; null where nobody asks for /hold.
http::Handler test_handler(std::atomic<int>& calls, Gate* gate = nullptr);

/// True once `done` is, within a minute. The server's counters change on its own thread and wake
/// nobody.
template <class Done>
bool eventually(Done done) {
  for (int i = 0; i < 30000 && !done(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // time is the input: polling
  }
  return done();
}

class LiveServer {
 public:
  explicit LiveServer(HttpOptions options = {},
                      std::shared_ptr<asio::ssl::context> tls = nullptr,
                      std::uint64_t budget = 64 << 20);
  ~LiveServer() { stop(std::chrono::seconds(5)); }
  /// Drains and joins; a second call does nothing.
  void stop(std::chrono::milliseconds patience);

  std::uint16_t port() const { return x_port; }
  const HttpCounters& counters() const { return x_worker.counters(); }
  int calls() const { return x_calls; }
  ByteBudget& budget() { return x_budget; }
  Gate& gate() { return x_gate; }

 private:
  std::atomic<int> x_calls{0};
  Gate x_gate;
  asio::io_context x_io{1};
  ByteBudget x_budget;
  HttpService x_service;
  HttpWorker x_worker;
  std::uint16_t x_port = 0;
  std::thread x_thread;
};

struct Reply {
  int status = 0;
  std::string head, body;
  std::string field(std::string_view name) const;  ///< "" if absent; name in its exact spelling
};

/// A blocking socket. A wait of a minute is a failure of the test, and ends it as a close would.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  void send(std::string_view bytes);
  /// One response; reads Content-Length bytes of body unless `head_only`. status 0: none came.
  Reply reply(bool head_only = false);
  std::string read_exact(std::size_t n);  ///< fewer only at the end of the connection
  std::string until_closed();
  bool closed_by_reset() const { return x_reset; }
  void close_now();
  int fd() const { return x_fd; }

 private:
  bool fill();
  int x_fd = -1;
  bool x_reset = false;
  std::string x_in;
};

Reply exchange(std::uint16_t port, std::string_view request);

}  // namespace outcrop::server::testing
