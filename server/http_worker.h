// HTTP on one worker: what its sessions have in common. HttpService is what the workers share.
#pragma once
#include <string>

#include "api/http/message.h"
#include "server/byte_budget.h"
#include "server/connection_worker.h"
#include "server/http_options.h"
#include "server/http_session.h"
#include "server/in_buffer.h"
#include "storage/base/clock.h"

namespace outcrop::server {

/// One HTTP service (S3, or admin), shared by the workers that serve it. Outlives them.
struct HttpService {
  HttpService(http::Handler h, const HttpOptions& o, ByteBudget& b)
      : handler(std::move(h)),
        options(o),
        budget(b),
        limiter(o.max_connections, o.max_connections_per_address) {}
  http::Handler handler;
  HttpOptions options;
  ByteBudget& budget;
  ConnectionLimiter limiter;
  std::shared_ptr<asio::ssl::context> tls;  ///< null: plain text
  const Clock* clock = nullptr;             ///< of the Date field; null: the machine's
};

class HttpWorker final : public ConnectionWorker {
 public:
  HttpWorker(HttpService& service, Executor ex, std::uint64_t id_seed);
  ~HttpWorker() override;

  HttpService& service() { return x_service; }
  HttpCounters& counters() { return x_counters; }
  const HttpCounters& counters() const { return x_counters; }
  BlockPool& blocks() { return x_blocks; }
  std::string next_request_id();
  std::string_view date();  ///< for the Date field, refreshed once a second

 private:
  std::unique_ptr<Session> make_session(Socket socket,
                                        const asio::ip::tcp::endpoint& remote) override;
  void refuse(Socket socket) override;

  HttpService& x_service;
  HttpCounters x_counters;
  BlockPool x_blocks;
  std::uint64_t x_id_seed;
  std::uint64_t x_ids = 0;
  std::int64_t x_date_second = -1;
  std::string x_date;
};

}  // namespace outcrop::server
