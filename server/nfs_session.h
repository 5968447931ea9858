// One client connection speaking ONC RPC over TCP. All records of a receive are served before the
// next one; what completes at once is answered in one gather write, what has to wait is answered
// when it is done, in any order. Owned by NfsWorker, lives on its worker.
//
// Memory: a record too large for the receive block, every call that waits, and replies that the
// client does not take, hold a lease of the byte budget. While there is none nothing is read. When
// others have all of it, a small share that only calls being served can hold keeps this one going.
#pragma once
#include <deque>
#include <vector>

#include "api/nfs/dispatch.h"
#include "api/nfs/record.h"
#include "server/byte_budget.h"
#include "server/connection_worker.h"
#include "server/transport.h"

namespace outcrop::server {

class NfsWorker;

class NfsSession final : public Session {
 public:
  NfsSession(NfsWorker& owner,
             Socket socket,
             const asio::ip::tcp::endpoint& remote,
             std::uint64_t connection);

  Async<> run() override;
  void tick(std::int64_t now) override;
  void leave() override;
  void abort() override;
  const asio::ip::address& address() const override { return x_peer.address; }

 private:
  struct Waiting {
    Buffer record;
    ByteBudget::Lease lease;  // of a large record
  };

  // Receiving.
  Async<> read_loop();
  Async<bool> receive();
  Async<bool> make_room_for_large();
  bool enqueue(bool sane);
  Async<bool> start_tls();
  Async<bool> reserve();

  // Serving.
  void pump();
  Async<> serve_waiting();
  Async<nfs::Dispatcher::Outcome> serve(Buffer record, nfs::RpcCall& call, nfs::XdrWriter& reply);
  void answer(nfs::Dispatcher::Outcome outcome, nfs::XdrWriter& reply);
  bool may_start() const;
  void balance();
  void widen();

  // Sending.
  void flush_later();
  void flush();
  Async<> write_rest(std::size_t sent);
  void broken();

  // Waiting for anything above to change.
  Async<> changed();
  void notify();
  bool busy() const { return x_running > 0 || x_runners > 0 || x_writing || x_flush_posted; }

  NfsWorker& x_owner;
  Transport x_transport;
  nfs::Peer x_peer;
  nfs::RecordReader x_reader;
  std::vector<Buffer> x_received;
  std::deque<Waiting> x_waiting;
  ByteBudget::Lease x_record_lease;         // of the large record being received
  std::vector<ByteBudget::Lease> x_leases;  // of waiting calls and unsent replies
  nfs::XdrWriter x_out, x_sending;
  std::vector<iovec> x_parts;
  Timer x_change;
  unsigned x_running = 0;           // calls being served
  unsigned x_uncovered = 0;         // of them, those whose memory is not in their record's lease
  unsigned x_runners = 0;           // coroutines that serve
  std::int64_t x_record_since = 0;  // when the large record got memory
  bool x_short = false;             // the budget had nothing for one more call
  bool x_tight = false;             // the only lease is for a small call
  bool x_pumping = false, x_writing = false, x_flush_posted = false, x_waits_for_change = false;
  bool x_partial = false;  // a record has begun and not ended
  bool x_closing = false;  // nothing more is read or started
  bool x_starttls = false;
};

}  // namespace outcrop::server
