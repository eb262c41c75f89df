package pages

import "strings"

// readAgent tells a browser and its system from what the browser calls itself
// (RFC 9110, section 10.1.5); "" where it does not say. Browsers name others
// that they are like, so that the order matters.
func readAgent(agent string) (browser, system string) {
	return firstOf(agent, browsers()), firstOf(agent, systems())
}

// mark is a text in a user agent, and what it stands for.
type mark struct{ text, name string }

func browsers() []mark {
	return []mark{
		{"Edg/", "Edge"},
		{"EdgA/", "Edge"},
		{"EdgiOS/", "Edge"},
		{"OPR/", "Opera"},
		{"Vivaldi/", "Vivaldi"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"Firefox/", "Firefox"},
		{"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"HeadlessChrome/", "Chrome"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
	}
}

func systems() []mark {
	return []mark{
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Android", "Android"},
		{"Windows", "Windows"},
		{"Macintosh", "macOS"},
		{"CrOS", "ChromeOS"},
		{"Linux", "Linux"},
		{"FreeBSD", "FreeBSD"},
	}
}

func firstOf(agent string, marks []mark) string {
	for _, m := range marks {
		if strings.Contains(agent, m.text) {
			return m.name
		}
	}
	return ""
}
