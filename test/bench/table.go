package main

import (
	"fmt"
	"time"
)

// printHead starts a Markdown table; its rows are printed as they are
// measured.
func printHead(title string) {
	fmt.Printf("\n### %s\n\n", title)
	fmt.Println("| Row | Clients | Server | Rate/s | p50 | p90 | p99 | Errors | per server core·s | Ratio |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|")
}

func printRow(row string, clients int, server string, m measurement, ratio string) {
	fmt.Printf("| %s | %d | %s | %.0f | %s | %s | %s | %s | %.0f | %s |\n", row, clients, server, m.Rate(),
		brief(m.Percentile(50)), brief(m.Percentile(90)), brief(m.Percentile(99)), faults(m), m.perCore, ratio)
}

func printCeiling(row string, c ceiling) {
	fmt.Printf("| %s engine: %s | %d | – | %.0f | – | – | – | – | – | – |\n", row, c.name, c.clients, c.rate)
}

// faults words what went wrong: nothing, or counts by status and an example.
func faults(m measurement) string {
	if m.Errors() == 0 {
		return "0"
	}
	text := fmt.Sprintf("%d", m.Errors())
	for status, n := range m.Statuses {
		if status != 200 {
			text += fmt.Sprintf(", %d × %d", n, status)
		}
	}
	return fmt.Sprintf("%s, first: %.120v", text, m.FirstError)
}

func ratio(a, b float64) string {
	if b == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", a/b)
}

func brief(d time.Duration) string {
	if d < time.Millisecond {
		return fmt.Sprintf("%dµs", d.Microseconds())
	}
	return fmt.Sprintf("%.1fms", float64(d.Microseconds())/1000)
}
