#include "storage/drives/stock.h"

#include <algorithm>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/redirect_error.hpp>

#include "storage/base/assert.h"
#include "storage/base/log.h"

namespace outcrop::drives {
namespace {

using std::chrono::nanoseconds;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>,
                                         Executor>;

constexpr std::int64_t kLeastRest = 1, kMoreRest = 3;  // times the work
constexpr nanoseconds kLongestPause = std::chrono::milliseconds(200);
constexpr std::chrono::seconds kTryAgain{1};  // a drive that could not take all

}  // namespace

nanoseconds pause_after(nanoseconds work, std::size_t count, std::size_t wanted) {
  const auto most = static_cast<std::int64_t>(std::max<std::size_t>(wanted, 1));
  const std::int64_t have = std::min(static_cast<std::int64_t>(count), most);
  return std::min(work * kLeastRest + work * kMoreRest * have / most, kLongestPause);
}

StockFiller::~StockFiller() { OUTCROP_ASSERT(x_busy.empty()); }

void StockFiller::look() {
  if (x_stopping) {
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  for (const Slot slot : x_drives.placement_slots()) {
    const auto wanted = x_wanted.find(slot);
    const bool enough = wanted != x_wanted.end() && x_stock.count(slot) >= wanted->second;
    const auto not_before = x_not_before.find(slot);
    const bool due = not_before == x_not_before.end() || now >= not_before->second;
    if (!enough && due && x_busy.insert(slot).second) {
      asio::co_spawn(x_ex, work_on(slot), [](std::exception_ptr thrown, Result<void>) {
        if (thrown) {
          std::rethrow_exception(thrown);
        }
      });
    }
  }
}

// Out of descriptors, or of room: it is tried again. Anything else is the drive's.
Task<> StockFiller::work_on(Slot slot) {
  const auto filled = co_await fill(slot);
  if (!filled && filled.error().code() == Errc::io_error) {
    CO_TRYV(co_await x_pool.run([this, slot, &filled]() -> Result<void> {
      [[maybe_unused]] const auto out = x_drives.eject(slot, filled.error());  // it logs
      return ok();
    }));
  } else if (!filled) {
    log::warn("a file is not made ahead of need",
              {{"drive", x_drives.disk(slot)->name()}, {"error", filled.error().describe()}});
  }
  if (!filled || x_stock.count(slot) < x_wanted[slot]) {
    x_not_before[slot] = std::chrono::steady_clock::now() + kTryAgain;
  } else {
    x_not_before.erase(slot);
  }
  x_busy.erase(slot);
  if (x_busy.empty()) {
    for (Resume<void>& waiter : std::exchange(x_waiters, {})) {
      waiter(ok());
    }
  }
  co_return ok();
}

Task<> StockFiller::fill(Slot slot) {
  CO_TRY(const io::Space space,
         co_await x_pool.run([this, slot] { return x_drives.disk(slot)->space(); }));
  const std::size_t wanted = x_stock.wanted(space);
  x_wanted[slot] = wanted;
  Timer timer(x_ex);
  bool hurry = false;
  for (bool more = true; more && !x_stopping && x_drives.live(slot);) {
    const auto began = std::chrono::steady_clock::now();
    CO_TRY(more,
           co_await x_pool.run([this, slot, wanted] { return x_stock.add_part(slot, wanted); }));
    const auto work = std::chrono::steady_clock::now() - began;
    const std::size_t have = x_stock.count(slot);
    hurry = x_stock.take_missed(slot) || (hurry && have == 0);
    const nanoseconds pause = pause_after(work, have, wanted);
    if (more && !hurry && pause.count() > 0) {
      timer.expires_after(pause);
      boost::system::error_code interrupted;
      co_await timer.async_wait(asio::redirect_error(use_async, interrupted));
    }
  }
  co_return ok();
}

Task<> StockFiller::rest() {
  if (!x_busy.empty()) {
    CO_TRYV(co_await suspend<void>([this](Resume<void> r) { x_waiters.push_back(std::move(r)); }));
  }
  co_return ok();
}

Task<> StockFiller::stop() {
  x_stopping = true;
  co_return co_await rest();
}

}  // namespace outcrop::drives
