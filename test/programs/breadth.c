// What ordinary C programs ask of the kernel: threads, every kind of mutex, timers, files, memory.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MUST(condition)                                                        \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%d: %s: %s\n", __LINE__, #condition, strerror(errno));  \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

static pthread_mutex_t mutex;
static pthread_cond_t condition;
static int count;

static void *add(void *unused) {
  (void)unused;
  char *memory = malloc(300000);
  memset(memory, 1, 300000);
  for (int i = 0; i < 20000; ++i) {
    int error = pthread_mutex_lock(&mutex);
    if (error == EOWNERDEAD) pthread_mutex_consistent(&mutex);
    ++count;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&mutex);
  }
  free(memory);
  return NULL;
}

static void *die(void *unused) {
  (void)unused;
  pthread_mutex_lock(&mutex);
  return NULL;
}

static void threads(int protocol, int robust) {
  pthread_mutexattr_t attributes;
  pthread_condattr_t clock;
  pthread_mutexattr_init(&attributes);
  MUST(pthread_mutexattr_setprotocol(&attributes, protocol) == 0);
  MUST(pthread_mutexattr_setrobust(&attributes, robust) == 0);
  MUST(pthread_mutex_init(&mutex, &attributes) == 0);
  pthread_condattr_init(&clock);
  pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
  pthread_cond_init(&condition, &clock);
  count = 0;
  pthread_t all[4];
  for (int i = 0; i < 4; ++i) MUST(pthread_create(&all[i], NULL, add, NULL) == 0);
  pthread_setname_np(all[0], "named");
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec = until.tv_nsec / 2;
  pthread_mutex_lock(&mutex);
  pthread_cond_timedwait(&condition, &mutex, &until);
  pthread_mutex_unlock(&mutex);
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 5;
  MUST(pthread_mutex_timedlock(&mutex, &until) == 0);
  pthread_mutex_unlock(&mutex);
  for (int i = 0; i < 4; ++i) pthread_join(all[i], NULL);
  if (robust == PTHREAD_MUTEX_ROBUST) {
    pthread_create(&all[0], NULL, die, NULL);
    pthread_join(all[0], NULL);
    MUST(pthread_mutex_lock(&mutex) == EOWNERDEAD);
    pthread_mutex_consistent(&mutex);
    pthread_mutex_unlock(&mutex);
  }
  printf("threads %d\n", count);
}

static void events(void) {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  int counter = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  int signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  MUST(epoll >= 0 && counter >= 0 && timer >= 0 && signals >= 0);
  int all[] = {counter, timer, signals};
  for (int i = 0; i < 3; ++i) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = all[i]};
    MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, all[i], &event) == 0);
  }
  struct itimerspec soon = {.it_value.tv_nsec = 1000000};
  MUST(timerfd_settime(timer, 0, &soon, NULL) == 0);
  MUST(eventfd_write(counter, 1) == 0);
  MUST(kill(getpid(), SIGUSR1) == 0);
  usleep(20000);
  struct epoll_event found[4];
  printf("events %d\n", epoll_wait(epoll, found, 4, 1000));
  timer_t posix;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  MUST(timer_create(CLOCK_MONOTONIC, &event, &posix) == 0);
  MUST(timer_delete(posix) == 0);
  MUST(timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &posix) == 0);
  MUST(timer_delete(posix) == 0);
}

static void files(void) {
  FILE *file = fopen("tmp/file", "w+e");
  MUST(file != NULL);
  for (int i = 0; i < 10000; ++i) fprintf(file, "%d\n", i);
  MUST(fflush(file) == 0);
  int number = fileno(file);
  MUST(posix_fallocate(number, 0, 100000) == 0);
  MUST(fallocate(number, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == 0);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  MUST(fcntl(number, F_SETLK, &lock) == 0);
  MUST(fcntl(number, F_GETLK, &lock) == 0);
  int copy = fcntl(number, F_DUPFD_CLOEXEC, 20);
  MUST(copy >= 20 && fcntl(copy, F_GETFD) == FD_CLOEXEC);
  MUST(fcntl(copy, F_SETFL, fcntl(copy, F_GETFL) | O_NONBLOCK | O_APPEND) == 0);
  char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, number, 4096);
  MUST(shared != MAP_FAILED && msync(shared, 4096, MS_SYNC) == 0);
  MUST(close_range(copy, copy, 0) == 0);
  MUST(renameat2(AT_FDCWD, "tmp/file", AT_FDCWD, "tmp/other", RENAME_NOREPLACE) == 0);
  MUST(lockf(number, F_ULOCK, 0) == 0);
  printf("files %ld\n", ftell(file));
  fclose(file);
}

static void memory(void) {
  char *all[64];
  for (int i = 0; i < 64; ++i) memset(all[i] = malloc(1000 << (i % 10)), i, 1000);
  for (int i = 0; i < 64; ++i) all[i] = realloc(all[i], 400000);
  for (int i = 0; i < 64; ++i) free(all[i]);
  malloc_trim(0);
  char *block = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  MUST(mprotect(block, 1 << 20, PROT_READ | PROT_WRITE) == 0);
  block[0] = 1;
  MUST(madvise(block, 1 << 20, MADV_HUGEPAGE) == 0 || errno == EINVAL);
  MUST(madvise(block, 1 << 20, MADV_FREE) == 0);
  MUST(madvise(block, 1 << 20, MADV_DONTFORK) == 0);
  block = mremap(block, 1 << 20, 1 << 21, MREMAP_MAYMOVE);
  MUST(block != MAP_FAILED && munmap(block, 1 << 21) == 0);
  puts("memory");
}

static void processes(void) {
  sem_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  MUST(sem_init(shared, 0, 1) == 0 && sem_wait(shared) == 0 && sem_post(shared) == 0);
  int pair[2];
  MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
  pid_t child = fork();
  if (child == 0) _exit(send(pair[1], "packet", 6, MSG_NOSIGNAL | MSG_EOR) == 6 ? 5 : 1);
  char text[16] = {0};
  MUST(recv(pair[0], text, sizeof(text), MSG_TRUNC) == 6);
  siginfo_t info;
  MUST(waitid(P_PID, child, &info, WEXITED | WSTOPPED | WCONTINUED) == 0);
  struct sched_param none = {0};
  MUST(sched_setscheduler(0, SCHED_BATCH, &none) == 0 && sched_getscheduler(0) == SCHED_BATCH);
  printf("processes %s %d\n", text, info.si_status);
}

int main(void) {
  threads(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
  threads(PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED);
  threads(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST);
  threads(PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_ROBUST);
  events();
  files();
  memory();
  processes();
  return 0;
}
