#include "server/nfs_worker.h"

#include <boost/asio/ssl/context.hpp>

#include "server/nfs_session.h"

namespace outcrop::server {
namespace {

constexpr unsigned kConnectionBits = 48;  // the rest is the worker

std::chrono::milliseconds shortest_of(const NfsOptions& o) {
  return std::min({o.idle_timeout, o.record_timeout, o.pressed_record_timeout, o.write_stall});
}

}  // namespace

NfsWorker::NfsWorker(NfsService& service, Executor ex, unsigned number)
    : ConnectionWorker(ex, service.limiter, x_counters, tick_for(shortest_of(service.options))),
      x_service(service),
      x_next_connection((std::uint64_t{number} << kConnectionBits) + 1) {}

std::unique_ptr<Session> NfsWorker::make_session(Socket socket,
                                                 const asio::ip::tcp::endpoint& remote) {
  return std::make_unique<NfsSession>(*this, std::move(socket), remote, x_next_connection++);
}

/// RPC has no way to say it; the client tries again later.
void NfsWorker::refuse(Socket socket) {
  boost::system::error_code ignored;
  socket.close(ignored);
}

NfsGroup::NfsGroup(Runtime& runtime, const std::vector<unsigned>& workers, NfsService& service)
    : ListenerGroup(runtime) {
  for (const unsigned w : workers) {
    x_workers.push_back(std::make_unique<NfsWorker>(service, runtime.io(w).get_executor(), w));
    add(w, *x_workers.back());
  }
}

std::vector<const NfsCounters*> NfsGroup::counters() const {
  std::vector<const NfsCounters*> out;
  for (const std::unique_ptr<NfsWorker>& w : x_workers) {
    out.push_back(&w->counters());
  }
  return out;
}

}  // namespace outcrop::server
