package metrics

import (
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Prometheus's own reader finds what was written, whatever a label holds.
func TestPrometheusReadsIt(t *testing.T) {
	var p Page
	p.Gauge("up", "It is.")
	p.Value("up", 1)
	p.Counter("boots_total", "Boots.")
	hostile := "a\"b\\c\n}\xff"
	p.Value("boots_total", 1<<53, "image", hostile, "outcome", "poweroff")
	p.Value("boots_total", 3, "image", "b", "outcome", "limit")
	var text strings.Builder
	if _, err := p.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	all, err := parser.TextToMetricFamilies(strings.NewReader(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	boots := all["tacit_boots_total"].GetMetric()
	if all["tacit_up"].GetMetric()[0].GetGauge().GetValue() != 1 || len(boots) != 2 || boots[0].GetCounter().GetValue() != 1<<53 ||
		boots[0].GetLabel()[0].GetValue() != "a\"b\\c\n}\ufffd" || boots[1].GetLabel()[1].GetValue() != "limit" {
		t.Errorf("%v", all)
	}
}
