// Command bench measures Atrium against a stub that only verifies signatures,
// and against the commit rate of its own storage engine, in one run on one
// machine. Absolute figures drift with the machine; the ratios are what
// counts.
//
//	go run ./test/bench                     rows 1-3 at 100 and 10,000 users, 4-6 with 1,000 accounts, 7, and S3
//	go run ./test/withpostgres -- go run ./test/bench  also on PostgreSQL
//	go run ./test/bench -full               also at 1,000,000 users (minutes)
//	go run ./test/bench -rows "^1|ListUsers"  some of the rows
//	go run ./test/bench -atrium ""          the stub alone
//
// All traffic stays on loopback; each run is bounded in time.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// settings are the command's flags.
type settings struct {
	atrium   string
	dir      string
	postgres string
	s3Server string
	rows     *regexp.Regexp
	clients  []int
	users    []int
	warmup   time.Duration
	duration time.Duration
	runs     int
}

func main() {
	s, err := parse(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&s.atrium, "atrium", "bin/atrium", "program to measure; empty: the stub alone")
	flags.StringVar(&s.dir, "dir", os.TempDir(), "directory for the databases; choose one on a real disk")
	flags.StringVar(&s.postgres, "postgres", os.Getenv("ATRIUM_TEST_POSTGRES"), "also measure with the smallest directory on the PostgreSQL server of this connection string, on which databases may be made")
	flags.StringVar(&s.s3Server, "s3-server", os.Getenv("ATRIUM_TEST_S3_SERVER"), "program of Versity's S3 gateway, to measure S3 beside it; empty: without")
	rows := flags.String("rows", "", "measure only the rows whose names match this regular expression")
	clients := flags.String("clients", "8,64", "numbers of concurrent clients")
	users := flags.String("users", "100,10000", "numbers of users in the directory")
	full := flags.Bool("full", false, "also measure at 1,000,000 users")
	flags.DurationVar(&s.warmup, "warmup", 500*time.Millisecond, "load before each measurement")
	flags.DurationVar(&s.duration, "duration", 1500*time.Millisecond, "time of each measurement")
	flags.IntVar(&s.runs, "runs", 3, "measurements of each row; the median is shown")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	var err error
	if s.rows, err = regexp.Compile(*rows); err != nil {
		return s, err
	}
	if s.clients, err = numbers(*clients); err != nil {
		return s, err
	}
	if s.users, err = numbers(*users); err != nil {
		return s, err
	}
	if *full {
		s.users = append(s.users, 1_000_000)
	}
	if s.runs < 1 || s.duration <= 0 {
		return s, fmt.Errorf("-runs and -duration must be positive")
	}
	return s, nil
}

func numbers(list string) ([]int, error) {
	var all []int
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is not a list of positive numbers", list)
		}
		all = append(all, n)
	}
	return all, nil
}

func bench(ctx context.Context, s settings) error {
	dir, err := os.MkdirTemp(s.dir, "atrium-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Println(machine())

	stub, err := startStub(ctx, dir)
	if err != nil {
		return fmt.Errorf("stub: %w", err)
	}
	defer stub.stop()
	b := &bencher{settings: s, dir: dir, stub: stub}
	if s.atrium == "" {
		return b.stubAlone(ctx)
	}
	for _, size := range s.users {
		if err := b.directory(ctx, size, engine{}); err != nil {
			return fmt.Errorf("with %d users: %w", size, err)
		}
	}
	b.growth()
	if err := b.onPostgres(ctx); err != nil {
		return fmt.Errorf("on PostgreSQL: %w", err)
	}
	if err := b.portals(ctx); err != nil {
		return fmt.Errorf("the portal: %w", err)
	}
	if err := b.logins(ctx); err != nil {
		return err
	}
	return b.objects(ctx)
}
