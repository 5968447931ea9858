#include "api/nfs/export.h"

#include <algorithm>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <charconv>

namespace outcrop::nfs {
namespace {

namespace ip = boost::asio::ip;

constexpr unsigned kV4Bits = 32, kV6Bits = 128, kMappedBits = kV6Bits - kV4Bits;
constexpr std::size_t kMaxComponent = 255, kMaxBucketName = 63;

ip::address unmapped(const ip::address& a) {
  return a.is_v6() && a.to_v6().is_v4_mapped()
             ? ip::address(ip::make_address_v4(ip::v4_mapped, a.to_v6()))
             : a;
}

/// The first `bits` bits of the address, the others zero.
template <class Bytes>
Bytes masked(Bytes bytes, unsigned bits) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned here =
        std::min(8u, bits - std::min<unsigned>(bits, static_cast<unsigned>(i) * 8));
    bytes[i] = static_cast<unsigned char>(bytes[i] & (0xff00u >> here));
  }
  return bytes;
}

/// "x/y/z" without anything that a path could escape by.
bool good_components(std::string_view path) {
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, slash - at);
    if (part.empty() || part == "." || part == ".." || part.size() > kMaxComponent ||
        part.find('\0') != std::string_view::npos) {
      return false;
    }
    at = slash + 1;
  }
  return true;
}

bool lies_below(std::string_view path, std::string_view above) {
  return path.size() > above.size() && path.starts_with(above) && path[above.size()] == '/';
}

struct Cached {
  std::uint64_t serial = 0, version = 0;
  std::shared_ptr<const void> snapshot;
};
thread_local Cached t_cached;  // of the table that this thread looked at last

std::atomic<std::uint64_t> g_tables{0};

}  // namespace

bool Cidr::contains(const ip::address& address) const {
  const ip::address a = unmapped(address);
  if (a.is_v4() != network.is_v4()) {
    return false;
  }
  return a.is_v4() ? masked(a.to_v4().to_bytes(), bits) == network.to_v4().to_bytes()
                   : masked(a.to_v6().to_bytes(), bits) == network.to_v6().to_bytes();
}

std::string Cidr::to_string() const { return network.to_string() + "/" + std::to_string(bits); }

std::optional<Cidr> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  boost::system::error_code ec;
  ip::address address = ip::make_address(std::string(text.substr(0, slash)), ec);
  if (ec || (address.is_v6() && address.to_v6().scope_id() != 0)) {
    return std::nullopt;
  }
  unsigned most = address.is_v4() ? kV4Bits : kV6Bits;
  unsigned bits = most;
  if (slash != std::string_view::npos) {
    const std::string_view count = text.substr(slash + 1);
    const auto [end, bad] = std::from_chars(count.data(), count.data() + count.size(), bits);
    if (bad != std::errc{} || end != count.data() + count.size() || count.empty() || bits > most) {
      return std::nullopt;
    }
  }
  if (address.is_v6() && address.to_v6().is_v4_mapped() && bits >= kMappedBits) {
    address = unmapped(address);
    bits -= kMappedBits;
  }
  if (address.is_v4()) {
    address = ip::address_v4(masked(address.to_v4().to_bytes(), bits));
  } else {
    address = ip::address_v6(masked(address.to_v6().to_bytes(), bits));
  }
  return Cidr{.network = address, .bits = bits};
}

bool Export::allows(const ip::address& client) const {
  return std::ranges::any_of(clients, [&client](const Cidr& c) { return c.contains(client); });
}

std::string complaint_about(const Export& wanted) {
  if (wanted.path.size() > kMaxExportPath || !wanted.path.starts_with('/') ||
      !good_components(std::string_view(wanted.path).substr(1))) {
    return "path: expected an absolute path like \"/datasets\", without \".\", \"..\" or a slash "
           "at the end";
  }
  if (wanted.bucket.empty() || wanted.bucket.size() > kMaxBucketName ||
      wanted.bucket.find('/') != std::string::npos) {
    return "bucket: expected the name of a bucket";
  }
  if (!wanted.prefix.empty() &&
      (wanted.prefix.size() > kMaxExportPath || !good_components(wanted.prefix))) {
    return "prefix: expected a directory of the bucket like \"train/images\", without a slash at "
           "either end";
  }
  if (wanted.clients.size() > kMaxExportClients) {
    return "clients: at most " + std::to_string(kMaxExportClients) + " address blocks";
  }
  return {};
}

ExportTable::ExportTable() : x_serial(g_tables.fetch_add(1) + 1) { publish({}); }

const ExportTable::Snapshot& ExportTable::snapshot() const {
  const std::uint64_t version = x_version.load(std::memory_order_acquire);
  if (t_cached.serial != x_serial || t_cached.version != version) {
    const std::lock_guard lock(x_mutex);
    t_cached = {x_serial, x_version.load(std::memory_order_relaxed), x_snapshot};
  }
  return *static_cast<const Snapshot*>(t_cached.snapshot.get());
}

ExportListPtr ExportTable::list() const { return snapshot().list; }

ExportPtr ExportTable::find(ExportId id) const {
  const Snapshot& now = snapshot();
  return id < now.by_id.size() ? now.by_id[id] : nullptr;
}

ExportPtr ExportTable::find(std::string_view path) const {
  const ExportListPtr all = list();
  const auto at = std::ranges::lower_bound(
      *all, path, {}, [](const ExportPtr& e) { return std::string_view(e->path); });
  return at != all->end() && (*at)->path == path ? *at : nullptr;
}

bool ExportTable::any_allows(const ip::address& client) const {
  const ExportListPtr all = list();
  return std::ranges::any_of(*all, [&client](const ExportPtr& e) { return e->allows(client); });
}

Result<ExportPtr> ExportTable::add(Export wanted) {
  if (std::string complaint = complaint_about(wanted); !complaint.empty()) {
    return fail(Errc::invalid_argument, std::move(complaint));
  }
  const std::lock_guard lock(x_mutex);
  ExportList next = *x_snapshot->list;
  if (next.size() >= kMaxExports) {
    return fail(Errc::invalid_argument, "at most " + std::to_string(kMaxExports) + " exports");
  }
  for (const ExportPtr& e : next) {
    if (e->path == wanted.path || (wanted.id != 0 && e->id == wanted.id)) {
      return fail(Errc::already_exists, "path: " + e->path + " is exported already");
    }
    if (lies_below(wanted.path, e->path) || lies_below(e->path, wanted.path)) {
      return fail(Errc::invalid_argument,
                  "path: " + wanted.path + " and " + e->path + " would lie in one another");
    }
  }
  if (wanted.id == 0) {
    if (x_next > UINT16_MAX) {
      return fail(Errc::no_space, "no more export ids");
    }
    wanted.id = static_cast<ExportId>(x_next);
  }
  x_next = std::max<std::uint32_t>(x_next, wanted.id + 1u);
  wanted.rights = x_decide ? x_decide(wanted) : Rights{};
  auto made = std::make_shared<const Export>(std::move(wanted));
  next.insert(
      std::ranges::lower_bound(next, std::string_view(made->path), {},
                               [](const ExportPtr& e) { return std::string_view(e->path); }),
      made);
  publish(std::move(next));
  return made;
}

Result<void> ExportTable::remove(std::string_view path) {
  const std::lock_guard lock(x_mutex);
  ExportList next = *x_snapshot->list;
  if (std::erase_if(next, [path](const ExportPtr& e) { return e->path == path; }) == 0) {
    return fail(Errc::not_found);
  }
  publish(std::move(next));
  return ok();
}

void ExportTable::decide_rights(std::function<Rights(const Export&)> decide) {
  {
    const std::lock_guard lock(x_mutex);
    x_decide = std::move(decide);
  }
  refresh();
}

void ExportTable::refresh() {
  const std::lock_guard lock(x_mutex);
  if (!x_decide) {
    return;
  }
  ExportList next = *x_snapshot->list;
  bool changed = false;
  for (ExportPtr& e : next) {
    const Rights now = x_decide(*e);
    if (now != e->rights) {
      Export other = *e;
      other.rights = now;
      e = std::make_shared<const Export>(std::move(other));
      changed = true;
    }
  }
  if (changed) {
    publish(std::move(next));
  }
}

/// Under the lock, except from the constructor.
void ExportTable::publish(ExportList next) {
  auto made = std::make_shared<Snapshot>();
  for (const ExportPtr& e : next) {
    if (made->by_id.size() <= e->id) {
      made->by_id.resize(e->id + 1u);
    }
    made->by_id[e->id] = e;
  }
  made->list = std::make_shared<const ExportList>(std::move(next));
  x_snapshot = std::move(made);
  x_version.fetch_add(1, std::memory_order_release);
}

}  // namespace outcrop::nfs
