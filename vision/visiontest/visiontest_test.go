package visiontest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/vision"
	"github.com/groundwork-go/groundwork/vision/visionsim"
	"github.com/groundwork-go/groundwork/vision/visiontest"
)

func TestOpenAI(t *testing.T) {
	t.Parallel()
	visiontest.TestAnalyzer(t, func(t *testing.T) vision.Analyzer {
		a, err := vision.New(vision.Config{
			BaseURL: visionsim.BaseURL, HTTPClient: visionsim.Client(visionsim.Config{}),
		})
		require.NoError(t, err)
		return a
	})
}

func TestStatic(t *testing.T) {
	t.Parallel()
	visiontest.TestAnalyzer(t, func(*testing.T) vision.Analyzer {
		return vision.NewStatic(vision.Item{Name: "Sofa", Quantity: 1})
	})
}
