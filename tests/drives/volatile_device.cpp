// Files that behave like drives with a volatile write cache, for loop devices: a FUSE file system
// spoken straight over /dev/fuse, with one file for each image. What is written is there at once,
// as with a drive, and a flush of the loop device arrives as FSYNC. Commands come on standard
// input, answers go to standard output, one line each:
//   cut SEED: each sector that was written since the last flush of its file becomes any of the
//     contents that it had since then, and everything fails with EIO. "cut WRITES KEPT DROPPED"
//   power: everything works again. "power"
// "ready" is the first line. Ends when the file system is unmounted.
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t kLeastSector = 512;  // also the unit of st_blocks
constexpr std::uint32_t kMostTransfer = 1 << 20;
constexpr std::uint64_t kRootNode = FUSE_ROOT_ID;  // the nth file is node kRootNode + 1 + n
constexpr std::uint64_t kForever =
    1 << 20;  // seconds for which the kernel may remember names and sizes

[[noreturn]] void die(std::string_view what) {
  std::cerr << "volatile_device: " << what << ": " << std::strerror(errno) << '\n';
  std::exit(1);
}

struct Counts {
  std::uint64_t writes = 0, kept = 0, dropped = 0;
};

/// One image, with what it held before each write that was not flushed.
class Device {
 public:
  Device(const char* path, std::size_t sector)
      : x_fd(::open(path, O_RDWR | O_CLOEXEC)), x_sector(sector) {
    struct stat st{};
    if (x_fd < 0 || ::fstat(x_fd, &st) != 0) {
      die(path);
    }
    x_size = static_cast<std::uint64_t>(st.st_size);
  }

  std::uint64_t size() const { return x_size; }

  int read(std::uint64_t offset, std::span<char> out) const {
    return ::pread(x_fd, out.data(), out.size(), static_cast<off_t>(offset)) ==
                   static_cast<ssize_t>(out.size())
               ? 0
               : EIO;
  }

  int write(std::uint64_t offset, std::span<const char> data) {
    if (offset % x_sector != 0 || data.size() % x_sector != 0 || offset + data.size() > x_size) {
      return EINVAL;  // a loop device does not do this
    }
    Old old{offset, std::vector<char>(data.size())};
    if (const int error = read(offset, old.bytes)) {
      return error;
    }
    x_unflushed.push_back(std::move(old));
    return put(offset, data);
  }

  void flush() { x_unflushed.clear(); }

  /// What the cache had not yet written is any mixture, from nothing to all.
  void cut(std::mt19937_64& random, Counts& counts) {
    std::map<std::uint64_t, std::vector<const char*>> olds;  // by sector, oldest first
    for (const Old& old : x_unflushed) {
      for (std::size_t at = 0; at < old.bytes.size(); at += x_sector) {
        olds[old.offset + at].push_back(old.bytes.data() + at);
      }
    }
    const double keep = std::uniform_real_distribution<double>(0, 1)(random);
    for (const auto& [offset, contents] : olds) {
      if (std::uniform_real_distribution<double>(0, 1)(random) < keep) {
        ++counts.kept;
        continue;
      }
      ++counts.dropped;
      const auto which = std::uniform_int_distribution<std::size_t>(0, contents.size() - 1)(random);
      if (put(offset, {contents[which], x_sector}) != 0) {
        die("an image cannot be written");
      }
    }
    counts.writes += x_unflushed.size();
    flush();
  }

 private:
  struct Old {
    std::uint64_t offset;
    std::vector<char> bytes;
  };

  int put(std::uint64_t offset, std::span<const char> data) const {
    return ::pwrite(x_fd, data.data(), data.size(), static_cast<off_t>(offset)) ==
                   static_cast<ssize_t>(data.size())
               ? 0
               : EIO;
  }

  int x_fd;
  std::size_t x_sector;
  std::uint64_t x_size = 0;
  std::vector<Old> x_unflushed;
};

/// The file system: one request after the other, so a cut falls between two of them on all devices.
class FileSystem {
 public:
  FileSystem(const char* target, std::size_t sector, std::span<char*> images) {
    for (const char* const image : images) {
      x_devices.emplace_back(image, sector);
    }
    x_fuse = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (x_fuse < 0) {
      die("/dev/fuse");
    }
    const std::string options =
        "fd=" + std::to_string(x_fuse) + ",rootmode=40000,user_id=0,group_id=0";
    if (::mount("outcrop-volatile", target, "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
      die(target);
    }
  }

  int run() {
    std::cout << "ready" << std::endl;
    bool commands = true;
    while (true) {
      std::array<pollfd, 2> wanted{
          {{x_fuse, POLLIN, 0}, {commands ? STDIN_FILENO : -1, POLLIN, 0}}};
      if (::poll(wanted.data(), wanted.size(), -1) < 0 && errno != EINTR) {
        die("poll");
      }
      if (wanted[1].revents != 0) {
        commands = take_commands();
      }
      if ((wanted[0].revents & POLLERR) != 0 || (wanted[0].revents != 0 && !serve_one())) {
        return 0;  // unmounted
      }
    }
  }

 private:
  static fuse_attr attributes_of(std::uint64_t node, std::uint64_t size, std::uint32_t mode) {
    fuse_attr attr{};
    attr.ino = node;
    attr.size = size;
    attr.blocks = size / kLeastSector;
    attr.mode = mode;
    attr.nlink = 1;
    attr.blksize = 4096;
    return attr;
  }

  fuse_attr attributes(std::uint64_t node) {
    const Device* const device = device_of(node);
    return device ? attributes_of(node, device->size(), S_IFREG | 0600)
                  : attributes_of(node, 0, S_IFDIR | 0700);
  }

  Device* device_of(std::uint64_t node) {
    const std::uint64_t at = node - kRootNode - 1;
    return at < x_devices.size() ? &x_devices[at] : nullptr;
  }

  bool take_commands() {
    std::array<char, 256> text{};
    const ssize_t got = ::read(STDIN_FILENO, text.data(), text.size());
    if (got <= 0) {
      return false;
    }
    x_commands.append(text.data(), static_cast<std::size_t>(got));
    for (std::size_t end = 0; (end = x_commands.find('\n')) != std::string::npos;) {
      obey(x_commands.substr(0, end));
      x_commands.erase(0, end + 1);
    }
    return true;
  }

  void obey(std::string_view command) {
    if (command == "power") {
      x_power = true;
      std::cout << "power" << std::endl;
      return;
    }
    std::uint64_t seed = 0;
    const bool cut = command.starts_with("cut ");
    const auto parsed =
        std::from_chars(command.data() + (cut ? 4 : 0), command.data() + command.size(), seed);
    if (!cut || parsed.ec != std::errc{}) {
      std::cout << "unknown" << std::endl;
      return;
    }
    x_power = false;
    std::mt19937_64 random(seed);
    Counts counts;
    for (Device& device : x_devices) {
      device.cut(random, counts);
    }
    std::cout << "cut " << counts.writes << ' ' << counts.kept << ' ' << counts.dropped
              << std::endl;
  }

  bool serve_one() {
    const ssize_t got = ::read(x_fuse, x_request.data(), x_request.size());
    if (got < 0) {
      return errno == EINTR || errno == EAGAIN || errno == ENOENT;  // ENODEV: unmounted
    }
    fuse_in_header head{};
    std::memcpy(&head, x_request.data(), sizeof head);
    serve(head, {x_request.data() + sizeof head, static_cast<std::size_t>(got) - sizeof head});
    return true;
  }

  void serve(const fuse_in_header& head, std::span<const char> body) {
    switch (head.opcode) {
      case FUSE_INIT:
        return init(head, body);
      case FUSE_LOOKUP:
        return lookup(head, body);
      case FUSE_GETATTR: {
        fuse_attr_out out{};
        out.attr_valid = kForever;
        out.attr = attributes(head.nodeid);
        return reply(head, out);
      }
      case FUSE_OPEN: {
        fuse_open_out out{};
        out.open_flags = FOPEN_DIRECT_IO;  // nothing of it stays in the page cache over a cut
        return reply(head, out);
      }
      case FUSE_READ:
        return read(head, body);
      case FUSE_WRITE:
        return write(head, body);
      case FUSE_FSYNC:
        return fsync(head);
      case FUSE_FLUSH:
      case FUSE_RELEASE:
      case FUSE_ACCESS:
        return answer(head, 0, {});
      case FUSE_FORGET:
      case FUSE_BATCH_FORGET:
      case FUSE_INTERRUPT:
        return;  // no answer is expected
      default:
        return answer(head, ENOSYS, {});
    }
  }

  void init(const fuse_in_header& head, std::span<const char> body) {
    fuse_init_in in{};
    std::memcpy(&in, body.data(), std::min(body.size(), sizeof in));
    fuse_init_out out{};
    out.major = FUSE_KERNEL_VERSION;
    out.minor = std::min<std::uint32_t>(in.minor, FUSE_KERNEL_MINOR_VERSION);
    out.max_readahead = in.max_readahead;
    out.flags =
        in.flags & (FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_MAX_PAGES | FUSE_PARALLEL_DIROPS);
    out.max_background = 64;
    out.congestion_threshold = 48;
    out.max_write = kMostTransfer;
    out.max_pages = kMostTransfer / 4096;
    out.time_gran = 1;
    reply(head, out);
  }

  void lookup(const fuse_in_header& head, std::span<const char> body) {
    std::uint64_t number = 0;
    const std::string_view name(body.data(), body.empty() ? 0 : body.size() - 1);
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
    if (parsed.ec != std::errc{} || number >= x_devices.size()) {
      return answer(head, ENOENT, {});
    }
    fuse_entry_out out{};
    out.nodeid = kRootNode + 1 + number;
    out.entry_valid = out.attr_valid = kForever;
    out.attr = attributes(out.nodeid);
    reply(head, out);
  }

  void read(const fuse_in_header& head, std::span<const char> body) {
    fuse_read_in in{};
    std::memcpy(&in, body.data(), sizeof in);
    Device* const device = device_of(head.nodeid);
    if (device == nullptr || in.size > kMostTransfer || in.offset > device->size()) {
      return answer(head, EINVAL, {});
    }
    const std::span<char> out(x_answer.data(),
                              std::min<std::uint64_t>(in.size, device->size() - in.offset));
    const int error = x_power ? device->read(in.offset, out) : EIO;
    answer(head, error, error ? std::span<const char>{} : out);
  }

  void write(const fuse_in_header& head, std::span<const char> body) {
    fuse_write_in in{};
    std::memcpy(&in, body.data(), sizeof in);
    Device* const device = device_of(head.nodeid);
    if (device == nullptr || in.size > body.size() - sizeof in) {
      return answer(head, EINVAL, {});
    }
    const int error = x_power ? device->write(in.offset, body.subspan(sizeof in, in.size)) : EIO;
    if (error) {
      return answer(head, error, {});
    }
    reply(head, fuse_write_out{.size = in.size, .padding = 0});
  }

  void fsync(const fuse_in_header& head) {
    Device* const device = device_of(head.nodeid);
    if (device && x_power) {
      device->flush();
    }
    answer(head, device && x_power ? 0 : EIO, {});
  }

  template <class T>
  void reply(const fuse_in_header& head, const T& out) {
    answer(head, 0, {reinterpret_cast<const char*>(&out), sizeof out});
  }

  void answer(const fuse_in_header& head, int error, std::span<const char> body) {
    fuse_out_header out{};
    out.len = static_cast<std::uint32_t>(sizeof out + body.size());
    out.error = -error;
    out.unique = head.unique;
    const std::array<iovec, 2> parts{
        {{&out, sizeof out}, {const_cast<char*>(body.data()), body.size()}}};
    if (::writev(x_fuse, parts.data(), body.empty() ? 1 : 2) < 0 && errno != ENOENT) {
      die("an answer was not taken");
    }
  }

  int x_fuse = -1;
  bool x_power = true;
  std::vector<Device> x_devices;
  std::string x_commands;
  std::vector<char> x_request = std::vector<char>(kMostTransfer + 65536);
  std::vector<char> x_answer = std::vector<char>(kMostTransfer);
};

}  // namespace

int main(int argc, char** argv) {
  const std::size_t sector = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 0;
  if (argc < 4 || (sector != kLeastSector && sector != 4096)) {
    std::cerr << "usage: volatile_device 512|4096 MOUNTPOINT IMAGE...\n";
    return 2;
  }
  return FileSystem(argv[2], sector, {argv + 3, static_cast<std::size_t>(argc - 3)}).run();
}
