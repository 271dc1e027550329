package compare

import (
	"errors"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/record"
)

// SensitivityOfInit is how the ratio of the times to init moves with what is only estimated in the cost model. It is an
// approximation: what was counted is priced again, and nothing is run again. With other costs a guest's timer would tick
// more or less often.
func SensitivityOfInit(r, base *record.Record) (cost.Sensitivity, error) {
	var none cost.Sensitivity
	switch {
	case r.CostModel != base.CostModel:
		return none, errors.New("the two were charged by different cost models")
	case r.Costs.Init == nil || base.Costs.Init == nil:
		return none, errors.New("the records do not say what time went to until init")
	}
	model, err := cost.Named(r.CostModel)
	if err != nil {
		return none, err
	}
	over, err := r.Costs.Init.Tally()
	if err != nil {
		return none, err
	}
	under, err := base.Costs.Init.Tally()
	if err != nil {
		return none, err
	}
	return cost.SensitivityOfRatio(model, over, under)
}
